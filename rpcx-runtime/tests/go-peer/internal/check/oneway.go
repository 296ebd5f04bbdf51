package check

import (
	"context"
	"fmt"
	"time"

	"github.com/smallnest/rpcx/protocol"

	"rpcx-go-peer/internal/arith"
)

func onewayChecks() []Check {
	return []Check{
		{Name: "oneway/silent", run: overSocket(staysSilent(func(*protocol.Message) {}))},
		{Name: "oneway/silent-unknown-service", run: overSocket(staysSilent(func(m *protocol.Message) {
			m.ServicePath = "Missing"
		}))},
		{Name: "oneway/silent-unknown-method", run: overSocket(staysSilent(func(m *protocol.Message) {
			m.ServiceMethod = "Missing"
		}))},
		{Name: "oneway/silent-error", run: overSocket(staysSilent(withMethod("Error")))},
		{Name: "oneway/silent-panic", run: overSocket(staysSilent(withMethod("Panic")))},
		{Name: "oneway/silent-bad-payload", run: overSocket(staysSilent(func(m *protocol.Message) {
			m.Payload = []byte("\xc1")
		}))},
		{Name: "oneway/silent-unknown-codec", run: overSocket(staysSilent(func(m *protocol.Message) {
			m.SetSerializeType(13)
		}))},
		{Name: "oneway/runs", run: overClient(onewayRuns)},
	}
}

// withMethod turns a request into one for a method that takes a text.
func withMethod(name string) func(*protocol.Message) {
	return func(m *protocol.Message) {
		m.ServiceMethod = name
		m.Payload = []byte("\x81\xa3Msg\xa5quiet")
	}
}

// staysSilent sends a oneway request that change has made special.
func staysSilent(change func(*protocol.Message)) func(*socket) error {
	return func(s *socket) error {
		request := s.server.multiplication(70, 1, 1)
		request.SetOneway(true)
		change(request)
		if err := s.send(request); err != nil {
			return err
		}
		if err := s.silent(); err != nil {
			return err
		}
		return s.multiply(71)
	}
}

func onewayRuns(ctx context.Context, s *session) error {
	count := func() (int, error) {
		var out arith.Number
		err := s.arith(ctx, "Count", &arith.Operands{}, &out)
		return out.C, err
	}
	before, err := count()
	if err != nil {
		return err
	}
	const calls, step = 25, 3
	for range calls {
		if err := s.arith(ctx, "Incr", &arith.Operands{A: step}, nil); err != nil {
			return err
		}
	}
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		after, err := count()
		if err != nil {
			return err
		}
		if after == before+calls*step {
			return nil
		}
		if time.Since(start) > 10*time.Second {
			return fmt.Errorf("the counter went from %d to %d, expected %d", before, after, before+calls*step)
		}
	}
}
