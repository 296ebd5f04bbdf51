// Command go-server serves Arith and PBArith with Go rpcx 1.9.4.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	rpcxlog "github.com/smallnest/rpcx/log"
	"github.com/smallnest/rpcx/protocol"
	"github.com/smallnest/rpcx/server"

	"rpcx-go-peer/internal/arith"
	"rpcx-go-peer/internal/certs"
)

// How long running calls may take to finish after SIGTERM.
const drain = 5 * time.Second

func main() {
	log.SetFlags(0)
	log.SetPrefix("go-server: ")
	address := flag.String("addr", "127.0.0.1:0", "`address` to listen on: HOST:PORT, or a path for unix")
	network := flag.String("network", "tcp", "tcp or unix")
	token := flag.String("auth", "", "`token` that requests must carry; none if empty")
	var files certs.Files
	flag.StringVar(&files.Certificate, "cert", "", "`file` with the server's certificate: TLS is spoken")
	flag.StringVar(&files.Key, "key", "", "`file` with its key")
	flag.StringVar(&files.Authorities, "ca", "", "`file` with who must have signed the clients' certificates")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	if err := run(*network, *address, *token, files); err != nil {
		log.Fatal(err)
	}
}

func run(network, address, token string, files certs.Files) error {
	rpcxlog.SetDummyLogger()
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()

	config, err := files.Server()
	if err != nil {
		return err
	}
	s := server.NewServer(server.WithTLSConfig(config))
	if token != "" {
		s.AuthFunc = func(_ context.Context, _ *protocol.Message, given string) error {
			if given != token {
				return errors.New("invalid token")
			}
			return nil
		}
	}
	if err := arith.Register(s); err != nil {
		return err
	}
	listener, err := listen(network, address)
	if err != nil {
		return err
	}
	// rpcx wraps the listener, so the port has to be asked for here.
	bound := listener.Addr()
	if config != nil {
		// As rpcx does where it listens itself.
		listener = tls.NewListener(listener, config)
	}

	ended := make(chan error, 1)
	go func() { ended <- s.ServeListener(network, listener) }()
	select {
	case <-s.Started:
	case err := <-ended:
		return err
	}
	if _, port, err := net.SplitHostPort(address); err == nil && port == "0" {
		fmt.Println("ready", bound)
	} else {
		fmt.Println("ready")
	}

	select {
	case <-stop.Done():
	case err := <-ended:
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	return s.Shutdown(ctx)
}

func listen(network, address string) (net.Listener, error) {
	switch network {
	case "tcp":
	case "unix":
		// A socket left by a server that was killed would make the address "in use".
		if info, err := os.Lstat(address); err == nil && info.Mode().Type() == fs.ModeSocket {
			if err := os.Remove(address); err != nil {
				return nil, err
			}
		}
	default:
		return nil, fmt.Errorf("network %q is neither tcp nor unix", network)
	}
	return net.Listen(network, address)
}
