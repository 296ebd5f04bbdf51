// Command go-client checks a server of Arith and PBArith with Go rpcx 1.9.4.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path"
	"slices"
	"strings"

	rpcxlog "github.com/smallnest/rpcx/log"

	"rpcx-go-peer/internal/certs"
	"rpcx-go-peer/internal/check"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("go-client: ")
	var server check.Server
	flag.StringVar(&server.Address, "addr", "", "`address` of the server: HOST:PORT, or a path for unix")
	flag.StringVar(&server.Network, "network", "tcp", "tcp or unix")
	flag.StringVar(&server.Token, "token", "", "`token` to send; the checks of auth need one")
	var files certs.Files
	flag.StringVar(&files.Authorities, "ca", "", "`file` with whom to trust: TLS is spoken")
	flag.StringVar(&files.Certificate, "cert", "", "`file` with the client's certificate")
	flag.StringVar(&files.Key, "key", "", "`file` with its key")
	list := flag.Bool("list", false, "print the names of the checks and run none")
	only := flag.String("only", "", "run only `names`: topics, or patterns such as codecs/*-gzip, separated by commas")
	skip := flag.String("skip", "", "leave out `names`, written as for -only")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	if server.Network != "tcp" && server.Network != "unix" {
		log.Fatalf("network %q is neither tcp nor unix", server.Network)
	}

	var err error
	if server.TLS, err = files.Client(); err != nil {
		log.Fatal(err)
	}
	checks := choose(check.All(), server, *only, *skip)
	if *list {
		for _, c := range checks {
			fmt.Println(c.Name)
		}
		return
	}
	if server.Address == "" {
		log.Fatal("-addr is missing")
	}
	if len(checks) == 0 {
		log.Fatal("no check is left to run")
	}
	rpcxlog.SetDummyLogger()
	if failed := run(checks, server); failed > 0 {
		os.Exit(1)
	}
}

func run(checks []check.Check, server check.Server) (failed int) {
	for _, c := range checks {
		if err := c.Run(server); err != nil {
			failed++
			fmt.Printf("FAIL %s: %s\n", c.Name, strings.ReplaceAll(err.Error(), "\n", "; "))
		} else {
			fmt.Printf("ok %s\n", c.Name)
		}
	}
	fmt.Printf("%d passed, %d failed\n", len(checks)-failed, failed)
	return failed
}

// choose ends the program on a pattern that fits no check: a typing error would otherwise run the wrong ones.
func choose(all []check.Check, server check.Server, only, skip string) []check.Check {
	wanted, unwanted := patterns(all, only), patterns(all, skip)
	return slices.DeleteFunc(all, func(c check.Check) bool {
		return !c.AppliesTo(server) || only != "" && !fits(wanted, c.Name) || fits(unwanted, c.Name)
	})
}

func patterns(all []check.Check, text string) []string {
	if text == "" {
		return nil
	}
	list := strings.Split(text, ",")
	for _, pattern := range list {
		if !slices.ContainsFunc(all, func(c check.Check) bool { return fits([]string{pattern}, c.Name) }) {
			log.Fatalf("%q fits no check", pattern)
		}
	}
	return list
}

func fits(patterns []string, name string) bool {
	topic, _, _ := strings.Cut(name, "/")
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		match, err := path.Match(pattern, name)
		return pattern == topic || err == nil && match
	})
}
