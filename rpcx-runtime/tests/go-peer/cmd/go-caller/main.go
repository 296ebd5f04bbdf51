// Command go-caller goes on calling Arith.Mul with an XClient of Go rpcx 1.9.4 until its input is closed.
//
// It prints `calls N failed M` ten times a second and at its end, and `error TEXT` for each new text.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/smallnest/rpcx/client"
	rpcxlog "github.com/smallnest/rpcx/log"

	"rpcx-go-peer/internal/arith"
)

// How long one call may take.
const patience = 10 * time.Second

type counts struct {
	calls, failed atomic.Int64
	mu            sync.Mutex
	texts         map[string]bool
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("go-caller: ")
	servers := flag.String("servers", "", "`list` of servers: tcp@HOST:PORT, with commas")
	callers := flag.Int("callers", 16, "how many callers there are")
	failfast := flag.Bool("failfast", false, "make no call again")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	rpcxlog.SetDummyLogger()
	if err := run(strings.Split(*servers, ","), *callers, *failfast); err != nil {
		log.Fatal(err)
	}
}

func run(servers []string, callers int, failfast bool) error {
	pairs := make([]*client.KVPair, len(servers))
	for i, server := range servers {
		pairs[i] = &client.KVPair{Key: server}
	}
	found, err := client.NewMultipleServersDiscovery(pairs)
	if err != nil {
		return err
	}
	mode := client.Failover
	if failfast {
		mode = client.Failfast
	}
	calculator := client.NewXClient("Arith", mode, client.RoundRobin, found, client.DefaultOption)
	defer calculator.Close()

	stop, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	seen := counts{texts: map[string]bool{}}
	var running sync.WaitGroup
	for caller := range callers {
		running.Go(func() {
			for n := 0; stop.Err() == nil; n++ {
				seen.note(call(calculator, caller, n))
			}
		})
	}
	for stop.Err() == nil {
		seen.print()
		select {
		case <-stop.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	running.Wait()
	seen.print()
	return nil
}

func call(calculator client.XClient, a, b int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out arith.Number
	if err := calculator.Call(ctx, "Mul", &arith.Operands{A: a, B: b}, &out); err != nil {
		return err
	}
	if out.C != a*b {
		return errors.New("wrong answer")
	}
	return nil
}

func (c *counts) note(err error) {
	c.calls.Add(1)
	if err == nil {
		return
	}
	c.failed.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if text := err.Error(); !c.texts[text] {
		c.texts[text] = true
		fmt.Printf("error %s\n", strings.ReplaceAll(text, "\n", "; "))
	}
}

func (c *counts) print() {
	fmt.Printf("calls %d failed %d\n", c.calls.Load(), c.failed.Load())
}
