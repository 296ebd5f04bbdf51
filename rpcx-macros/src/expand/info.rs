//! What both sides know without the types: of a method, and of the service as a whole.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;

use super::describe;
use crate::model::{Codec, Governance, Method, Registry, Service};

/// The constant expression of a `MethodInfo`.
pub(super) fn method(service: &Service, method: &Method) -> TokenStream {
    let runtime = service.krate.private();
    let (service_name, method_name) = (&service.wire, &method.wire.text);
    let codec = match service.coding.codec {
        Codec::Msgpack => None,
        Codec::Json => Some(quote!(JSON)),
        Codec::Protobuf => Some(quote!(PROTOBUF)),
        Codec::Raw => Some(quote!(RAW)),
    };
    let codec = codec.map(|name| quote!(.codec(#runtime::SerializeType::#name)));
    let gzip = service.coding.gzip.then(|| quote!(.compression(#runtime::Compression::GZIP)));
    let governance = governance(&method.governance, &runtime);
    let hash_key = method.hash_key.map(|number| quote!(.hash_key(#number)));
    let flags = [
        method.oneway.then(|| quote!(.oneway())),
        method.idempotent.then(|| quote!(.idempotent())),
        method.spawn.then(|| quote!(.spawn())),
    ];
    let flags = flags.into_iter().flatten();
    let aliases = &method.aliases;
    let aliases = (!aliases.is_empty()).then(|| quote!(.aliases(&[#(#aliases),*])));
    let (parameters, reply) = (describe::parameters(service, method), describe::reply(method));
    let doc = describe::doc(&method.attrs);
    quote! {
        #runtime::MethodInfo::declared(#service_name, #method_name, #parameters, #reply) #codec #gzip #governance
            #hash_key #(#flags)* #aliases #doc
    }
}

fn governance(governance: &Governance, runtime: &TokenStream) -> TokenStream {
    let Governance { fail_mode, retries, retry, .. } = governance;
    let span = |given: Option<Duration>, setter: TokenStream| {
        let given = duration(given?);
        Some(quote!(.#setter(#given)))
    };
    let timeout = span(governance.timeout, quote!(timeout));
    let attempt_timeout = span(governance.attempt_timeout, quote!(attempt_timeout));
    let retry_interval = span(governance.retry_interval, quote!(retry_interval));
    let backup_latency = span(governance.backup_latency, quote!(backup_latency));
    let mode = fail_mode.as_ref().map(|mode| quote!(.fail_mode(#runtime::FailMode::#mode)));
    let retries = retries.map(|retries| quote!(.retries(#retries)));
    let rule = retry.as_ref().map(|rule| quote!(.retry(#runtime::RetryRule::#rule)));
    quote!(#timeout #attempt_timeout #mode #retries #rule #retry_interval #backup_latency)
}

/// The constant expression of a `ServiceInfo`.
pub(super) fn service(service: &Service) -> TokenStream {
    let runtime = service.krate.private();
    let wire = &service.wire;
    let registry = service.registry.as_ref().map(|registry| {
        let registry = self::registry(registry, &runtime);
        quote!(.registry(#registry))
    });
    let mode = service.select.as_ref();
    let select = mode.map(|mode| quote!(.select(#runtime::SelectMode::#mode)));
    let described = describe::service(service);
    quote!(#runtime::ServiceInfo::new(#wire) #registry #select #described)
}

fn registry(registry: &Registry, runtime: &TokenStream) -> TokenStream {
    let (name, servers) = (&registry.name, &registry.servers);
    let base_path = registry.base_path.as_ref().map(|path| quote!(.base_path(#path)));
    let servers = (!servers.is_empty()).then(|| quote!(.servers(&[#(#servers),*])));
    let interval = registry.update_interval.map(duration);
    let interval = interval.map(|interval| quote!(.update_interval(#interval)));
    let ttl = registry.session_ttl.map(duration).map(|ttl| quote!(.session_ttl(#ttl)));
    let metrics = (!registry.metrics).then(|| quote!(.metrics(false)));
    let group = registry.group.as_ref().map(|group| quote!(.group(#group)));
    let weight = registry.weight.map(|weight| quote!(.weight(#weight)));
    let layout = registry.layout.as_ref().map(|layout| quote!(.layout(#layout)));
    quote! {
        #runtime::RegistryInfo::new(#name) #base_path #servers #interval #ttl #metrics #group
            #weight #layout
    }
}

fn duration(duration: Duration) -> TokenStream {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#milliseconds))
}
