// Command registry-client finds Arith with one of Go rpcx's discoveries and calls it.
//
// It exits with 0 if all calls were right, 1 if some failed, 3 if no server was found.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"sync/atomic"
	"time"

	"github.com/smallnest/rpcx/client"
	rpcxlog "github.com/smallnest/rpcx/log"

	"rpcx-go-registry/internal/peer"
)

// How long one call may take.
const patience = 3 * time.Second

type options struct {
	registry, endpoints, base, service string
	calls                              int
	lasting, gap, wait                 time.Duration
	silent, failover, attended         bool
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("registry-client: ")
	var o options
	flag.StringVar(&o.registry, "registry", "etcd", "etcd, consul or mdns")
	flag.StringVar(&o.endpoints, "registry-addr", "", "where the registry is: HOST:PORT, with commas; - for mdns")
	flag.StringVar(&o.base, "base", "/rpcx_test", "namespace in the registry")
	flag.StringVar(&o.service, "service", "Arith", "name of the service")
	flag.IntVar(&o.calls, "n", 10, "how many calls to make")
	flag.DurationVar(&o.lasting, "for", 0, "make calls for this long instead")
	flag.DurationVar(&o.gap, "gap", 200*time.Millisecond, "pause between calls")
	flag.DurationVar(&o.wait, "wait", 10*time.Second, "how long to wait for a first server")
	flag.BoolVar(&o.silent, "nocall", false, "only print the servers")
	flag.BoolVar(&o.failover, "failover", false, "make a call that failed at another server again, not at the same one")
	flag.BoolVar(&o.attended, "attended", false, "make calls until the input is closed, and print how many there are")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	rpcxlog.SetDummyLogger()
	os.Exit(run(o))
}

func run(o options) int {
	found, err := discover(o)
	if err != nil {
		peer.Event("no-server", peer.Fields{"err": err.Error()})
		return 3
	}
	printServers(found)
	if o.silent {
		time.Sleep(o.lasting)
		return 0
	}
	ok, failed := callAgainAndAgain(o, found)
	peer.Event("done", peer.Fields{"ok": ok, "failed": failed})
	if failed > 0 {
		return 1
	}
	return 0
}

func callAgainAndAgain(o options, found client.ServiceDiscovery) (ok, failed int) {
	mode := client.Failtry
	if o.failover {
		mode = client.Failover
	}
	arith := client.NewXClient(o.service, mode, client.RoundRobin, found, client.DefaultOption)
	defer arith.Close()
	begin, lastError := time.Now(), ""
	var left atomic.Bool
	if o.attended {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			left.Store(true)
		}()
	}
	over := func() bool {
		if o.attended {
			if (ok+failed)%100 == 0 {
				peer.Event("calls", peer.Fields{"count": ok + failed})
			}
			return left.Load()
		}
		if o.lasting > 0 {
			return time.Since(begin) >= o.lasting
		}
		return ok+failed >= o.calls
	}
	for i := 1; !over(); i++ {
		if err := call(arith, i); err != nil {
			failed++
			if err.Error() != lastError {
				peer.Event("call-failed", peer.Fields{"err": err.Error()})
			}
			lastError = err.Error()
		} else {
			ok++
			if lastError != "" {
				peer.Event("call-ok-again", nil)
			}
			lastError = ""
		}
		time.Sleep(o.gap)
	}
	return ok, failed
}

func call(arith client.XClient, i int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out peer.Product
	if err := arith.Call(ctx, "Mul", &peer.Factors{A: i, B: 2}, &out); err != nil {
		return err
	}
	if out.C != 2*i {
		return fmt.Errorf("wrong answer %d", out.C)
	}
	return nil
}
