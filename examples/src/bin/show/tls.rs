//! Encrypted connections, and both sides prove who they are. Go's `WithTLSConfig` and `Option.TLSConfig`.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rpcx::tls::{ClientTls, ServerTls};
use rpcx::{Context, Error, Server};

use crate::servers::{Outcome, ensure, start_server};

#[rpcx::service]
trait Vault {
    /// Says who is let in.
    async fn open(&self, context: &Context) -> rpcx::Result<String>;
}

struct Keeper;

impl Vault for Keeper {
    async fn open(&self, context: &Context) -> rpcx::Result<String> {
        let caller = context.peer_identity();
        // What a certificate is for was proved in the handshake; what that allows is for the service to say.
        if caller.is_some_and(|caller| caller.is_for("billing.internal")) {
            Ok("welcome, billing".to_owned())
        } else {
            Err(Error::service("billing only"))
        }
    }
}

pub(crate) async fn run() -> Outcome {
    // In earnest an authority of the company's makes these files.
    let files = Files::new()?;
    let authority = Authority::new("ours")?;
    let authorities = files.write("ca.pem", &authority.certificate)?;
    let (certificate, key) = files.sign(&authority, "server", "127.0.0.1")?;

    // The server shows its certificate, and lets only those in that show one of the same authority.
    let tls = ServerTls::from_files(&certificate, &key)?.client_authorities_file(&authorities)?;
    let bound = Server::new().add(VaultServer::new(Keeper)).tls(tls.clone());
    let bound = bound.bind("tcp@127.0.0.1:0").await?;
    let address = bound.local_addr().to_string();
    tokio::spawn(bound.serve());

    let trusting = ClientTls::from_file(&authorities)?;
    for name in ["billing.internal", "shop.internal"] {
        let (certificate, key) = files.sign(&authority, name, name)?;
        let tls = trusting.clone().identity_files(certificate, key)?;
        match VaultClient::builder().tls(tls).connect_to(&address).await?.open().await {
            Ok(welcome) => println!("{name}: {welcome}"),
            Err(Error::Service(text)) => println!("{name}: {text}"),
            Err(error) => return Err(error.into()),
        }
    }

    // Who shows no certificate gets no connection, and is told why.
    refused("without a certificate", &address, trusting).await?;
    // Nor does a client call a server that it has no reason to trust.
    let stranger = ClientTls::new(Authority::new("theirs")?.certificate)?;
    refused("trusting somebody else", &address, stranger).await?;

    // Certificates are renewed while the server runs: new handshakes take the new one.
    let before = fs::read(&certificate)?;
    files.sign(&authority, "server", "127.0.0.1")?;
    ensure(fs::read(&certificate)? != before, "the certificate is a new one")?;
    tls.reload()?;
    let (certificate, key) = files.sign(&authority, "billing", "billing.internal")?;
    let billing = ClientTls::from_file(&authorities)?.identity_files(certificate, key)?;
    let vault = VaultClient::builder().tls(billing).connect_to(&address).await?;
    println!("with a new certificate: {}", vault.open().await?);

    // TLS is nothing of TCP's alone: a server in this process, say, is called by a name.
    let tls = ServerTls::from_files(files.path("server.pem"), files.path("server.key"))?;
    let server = Server::new().add(VaultServer::new(Keeper)).tls(tls);
    start_server(server, "memory@vault").await?;
    let named = ClientTls::from_file(&authorities)?.server_name("127.0.0.1")?;
    let vault = VaultClient::builder().tls(named).connect_to("memory@vault").await?;
    let text = vault.open().await.err().ok_or("nobody has proved to be billing")?;
    println!("in this process: {text}");
    Ok(())
}

async fn refused(who: &str, address: &str, tls: ClientTls) -> Outcome {
    let client = VaultClient::builder().tls(tls).connect_lazily(address)?;
    match client.open().await {
        // It did not run, so it may be made again at another server.
        Err(Error::Connect { source, .. }) => println!("{who}: {source}"),
        other => return Err(format!("{who}: no connection was expected, not {other:?}").into()),
    }
    Ok(())
}

/// Who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new(name: &str) -> Outcome<Self> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let certificate = parameters.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(parameters, key), certificate })
    }
}

/// A folder of this run's own.
struct Files(PathBuf);

impl Files {
    fn new() -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("rpcx-show-tls-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) -> Outcome<PathBuf> {
        fs::write(self.path(name), text)?;
        Ok(self.path(name))
    }

    /// Makes a certificate for `host`, and its key.
    fn sign(&self, authority: &Authority, name: &str, host: &str) -> Outcome<(PathBuf, PathBuf)> {
        let parameters = CertificateParams::new([host.to_owned()])?;
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &authority.issuer)?.pem();
        let certificate = self.write(&format!("{name}.pem"), &certificate)?;
        Ok((certificate, self.write(&format!("{name}.key"), &key.serialize_pem())?))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
