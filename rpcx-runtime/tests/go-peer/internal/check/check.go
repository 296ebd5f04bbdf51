// Package check holds what a server must do to pass for one of Go rpcx 1.9.4.
//
// Each file is a topic and gives its checks as a table. A check opens its own connections: through
// rpcx's own client ([session]) where the outcome of a call matters, over a bare socket ([socket])
// where the bytes do.
package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Server is the server under test.
type Server struct {
	Network, Address string
	// Token is sent with every request; empty if the server asks for none.
	Token string
	// TLS is how it is spoken to; nil if not over TLS.
	TLS *tls.Config
}

// Check is one promise of the server.
type Check struct {
	// Name is TOPIC/WHAT.
	Name string
	run  func(context.Context, Server) error
	// Only a server with a token can be asked.
	needsToken bool
	// The check moves much data, which takes a debug build long.
	heavy bool
}

// All returns every check, in the order to run them.
func All() []Check {
	return slices.Concat(
		callChecks(), codecChecks(), errorChecks(), metadataChecks(), deadlineChecks(), onewayChecks(),
		heartbeatChecks(), framingChecks(), concurrencyChecks(), pushChecks(), authChecks(),
	)
}

// AppliesTo tells whether the check has anything to ask of s.
func (c Check) AppliesTo(s Server) bool {
	return !c.needsToken || s.Token != ""
}

// Run asks s and returns what was wrong, if anything. It returns in bounded time whatever s does.
func (c Check) Run(s Server) error {
	limit := usualLimit
	if c.heavy {
		limit = heavyLimit
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				result <- fmt.Errorf("the check panicked: %v", cause)
			}
		}()
		result <- c.run(ctx, s)
	}()
	select {
	case err := <-result:
		return err
	case <-time.After(limit + grace):
		return errors.New("the check hangs")
	}
}

const (
	// Far above what the checks need, so that a slow machine does not fail one.
	usualLimit = 30 * time.Second
	heavyLimit = 180 * time.Second
	// A check that notices the limit by itself can say more than "hangs".
	grace = 5 * time.Second
	// For how long "nothing is sent" is watched.
	silence = 150 * time.Millisecond
)

// each runs f(0) to f(n-1) at once and returns one of the errors.
func each(n int, f func(i int) error) error {
	results := make(chan error, n)
	for i := range n {
		go func() { results <- f(i) }()
	}
	var failed error
	for range n {
		if err := <-results; err != nil {
			failed = err
		}
	}
	return failed
}
