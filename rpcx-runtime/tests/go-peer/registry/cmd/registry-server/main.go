// Command registry-server offers Arith and registers it with one of Go rpcx's registry plugins.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	rpcxlog "github.com/smallnest/rpcx/log"
	"github.com/smallnest/rpcx/server"

	"rpcx-go-registry/internal/peer"
)

// How long the plugin may take to stop, and running calls to finish.
const drain = 5 * time.Second

type options struct {
	registry, endpoints, address, base, service, meta string
	interval                                          time.Duration
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("registry-server: ")
	var o options
	flag.StringVar(&o.registry, "registry", "none", "none, etcd, consul or mdns")
	flag.StringVar(&o.endpoints, "registry-addr", "", "where the registry is: HOST:PORT, with commas; - for mdns")
	flag.StringVar(&o.address, "addr", "127.0.0.1:8972", "`address` to listen on: HOST:PORT")
	flag.StringVar(&o.base, "base", "/rpcx_test", "namespace in the registry")
	flag.StringVar(&o.service, "service", "Arith", "name of the service")
	flag.StringVar(&o.meta, "meta", "weight=5", "what the server says of itself, a URL query")
	flag.DurationVar(&o.interval, "interval", 2*time.Second, "how often the entry is written")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	// Without an interval the plugins' entries live for ever, and stopping them hangs.
	if o.interval <= 0 {
		log.Fatal("-interval must be above zero")
	}
	rpcxlog.SetDummyLogger()
	if err := run(o); err != nil {
		peer.Event("fatal", peer.Fields{"err": err.Error()})
		os.Exit(1)
	}
}

func run(o options) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	self := "tcp@" + o.address
	r, err := newRegistry(o, self)
	if err != nil {
		return err
	}
	s := server.NewServer()
	if r != nil {
		s.Plugins.Add(r)
	}
	listener, err := net.Listen("tcp", o.address)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.ServeListener("tcp", listener) }()
	select {
	case <-s.Started:
	case err := <-ended:
		return err
	}
	peer.Event("serving", peer.Fields{"pid": os.Getpid(), "addr": o.address})

	// Only now: nobody should find a server that does not listen yet.
	arith := &peer.Arith{}
	if err := register(s, r, o, arith); err != nil {
		return err
	}
	peer.Event("registered", peer.Fields{"service": o.service, "self": self, "meta": o.meta})

	select {
	case <-stop.Done():
	case err := <-ended:
		return err
	}
	peer.Event("stopping", peer.Fields{"calls": arith.Calls.Load()})
	if err := s.UnregisterAll(); err != nil {
		return err
	}
	if err := end(r); err != nil {
		return err
	}
	peer.Event("unregistered", nil)
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	return s.Shutdown(ctx)
}

// register starts the plugin at the moment that it expects.
func register(s *server.Server, r registry, o options, arith *peer.Arith) error {
	late := o.registry == "mdns"
	if r != nil && !late {
		if err := r.Start(); err != nil {
			return err
		}
	}
	if err := s.RegisterName(o.service, arith, o.meta); err != nil {
		return err
	}
	if r != nil && late {
		return r.Start()
	}
	return nil
}

// end stops the plugin.
func end(r registry) error {
	if r == nil {
		return nil
	}
	stopped := make(chan error, 1)
	go func() { stopped <- r.Stop() }()
	select {
	case err := <-stopped:
		return err
	case <-time.After(drain):
		return errors.New("the plugin does not stop")
	}
}

func (o options) servers(usual string) []string {
	if o.endpoints == "" {
		return []string{usual}
	}
	return strings.Split(o.endpoints, ",")
}
