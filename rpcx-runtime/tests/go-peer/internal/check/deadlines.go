package check

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/smallnest/rpcx/client"
	"github.com/smallnest/rpcx/share"

	"rpcx-go-peer/internal/arith"
)

func deadlineChecks() []Check {
	return []Check{
		{Name: "deadlines/client-gives-up", run: overClient(clientGivesUp)},
		{Name: "deadlines/xclient-gives-up", run: overXClient(client.Failtry, nil, xclientGivesUp)},
		{Name: "deadlines/server-stops", run: overClient(serverStops)},
		{Name: "deadlines/only-the-call-that-has-one", run: overClient(onlyItsOwn)},
		{Name: "deadlines/far-away", run: overClient(sleepsWith("60000"))},
		{Name: "deadlines/garbage-is-ignored", run: overClient(
			sleepsWith("", " ", "soon", "1.5", "1e1", "10ms", "0x10", "99999999999999999999"),
		)},
	}
}

// clientGivesUp holds that the late answer to an abandoned call disturbs nothing.
func clientGivesUp(ctx context.Context, s *session) error {
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	err := s.arith(short, "Sleep", &arith.Pause{Ms: 250}, new(arith.Number))
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the call that was given up ended with %v", err)
	}
	s.last.Store(nil)
	if err := s.multiply(ctx, 3, 4); err != nil {
		return fmt.Errorf("before the late answer: %w", err)
	}
	for last := s.last.Load(); last.ServiceMethod != "Sleep"; last = s.last.Load() {
		if ctx.Err() != nil {
			return errors.New("the late answer never came")
		}
		time.Sleep(5 * time.Millisecond)
	}
	return s.multiply(ctx, 5, 4)
}

func xclientGivesUp(ctx context.Context, x client.XClient) error {
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if err := x.Call(short, "Sleep", &arith.Pause{Ms: 10_000}, new(arith.Number)); err == nil {
		return errors.New("a call outlived its deadline")
	}
	return severalProducts(ctx, x)
}

// serverStops sets the deadline in the metadata alone: the client itself would wait.
func serverStops(ctx context.Context, s *session) error {
	const nap = 20 * time.Second
	start := time.Now()
	_, err := s.callWith(ctx, map[string]string{share.ServerTimeout: "100"}, "Sleep",
		&arith.Pause{Ms: int(nap.Milliseconds())}, new(arith.Number))
	took := time.Since(start)
	text, err := serviceError(err)
	if err != nil {
		return err
	}
	if !strings.Contains(text, "deadline exceeded") {
		return fmt.Errorf("error text %q", text)
	}
	if took < 90*time.Millisecond || took > nap/2 {
		return fmt.Errorf("a deadline of 100 ms ended the call after %v", took)
	}
	return s.multiply(ctx, 6, 6)
}

func onlyItsOwn(ctx context.Context, s *session) error {
	return each(20, func(i int) error {
		limits := []map[string]string{nil, {share.ServerTimeout: "30"}}[i%2]
		_, err := s.callWith(ctx, limits, "Sleep", &arith.Pause{Ms: 200}, new(arith.Number))
		if limits == nil {
			return err
		}
		_, err = serviceError(err)
		return err
	})
}

// sleepsWith holds that none of the timeouts stops a short nap.
func sleepsWith(timeouts ...string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		for _, timeout := range timeouts {
			var out arith.Number
			_, err := s.callWith(ctx, map[string]string{share.ServerTimeout: timeout}, "Sleep", &arith.Pause{Ms: 20}, &out)
			if err != nil {
				return fmt.Errorf("timeout %q: %w", timeout, err)
			}
			if out.C != 20 {
				return fmt.Errorf("timeout %q: the reply is %d", timeout, out.C)
			}
		}
		return nil
	}
}
