package check

import (
	"context"
	"fmt"

	"github.com/smallnest/rpcx/client"
	"github.com/smallnest/rpcx/protocol"
	"github.com/smallnest/rpcx/share"

	"rpcx-go-peer/internal/arith"
)

const rejection = "invalid token"

func authChecks() []Check {
	checks := []Check{
		{Name: "auth/right-token", run: overClient(func(ctx context.Context, s *session) error { return s.multiply(ctx, 8, 8) })},
		{Name: "auth/xclient", run: overXClient(client.Failtry, nil, severalProducts)},
		{Name: "auth/wrong-token", run: overSocket(rejected(func(m *protocol.Message) { m.Metadata[share.AuthKey] += "x" }))},
		{Name: "auth/empty-token", run: overSocket(rejected(func(m *protocol.Message) { m.Metadata[share.AuthKey] = "" }))},
		{Name: "auth/missing-token", run: overSocket(rejected(func(m *protocol.Message) { m.Metadata = nil }))},
		{Name: "auth/before-the-service-is-looked-up", run: overSocket(rejected(func(m *protocol.Message) {
			m.Metadata = nil
			m.ServicePath = "Missing"
		}))},
		{Name: "auth/oneway-is-closed-silently", run: overSocket(rejectedSilently)},
		{Name: "auth/every-request", run: overSocket(everyRequest)},
		{Name: "auth/service-does-not-run", run: overSocket(doesNotRun)},
		{Name: "auth/heartbeat-needs-none", run: overSocket(wholeEcho(func(m *protocol.Message) { m.Metadata = nil }))},
		{Name: "auth/rejected-client", run: rejectedClient},
	}
	for i := range checks {
		checks[i].needsToken = true
	}
	return checks
}

// rejected sends a request that change has spoiled and expects an error, then the end.
func rejected(change func(*protocol.Message)) func(*socket) error {
	return func(s *socket) error {
		request := s.server.multiplication(3, 1, 1)
		change(request)
		response, err := s.exchange(request)
		if err != nil {
			return err
		}
		if err := hasText(response, rejection); err != nil {
			return err
		}
		return s.ends()
	}
}

func rejectedSilently(s *socket) error {
	request := s.server.multiplication(3, 1, 1)
	request.SetOneway(true)
	request.Metadata = nil
	if err := s.send(request); err != nil {
		return err
	}
	return s.ends()
}

// everyRequest: one good token does not open the connection for good.
func everyRequest(s *socket) error {
	if err := s.multiply(1); err != nil {
		return err
	}
	return rejected(func(m *protocol.Message) { m.Metadata = nil })(s)
}

func doesNotRun(s *socket) error {
	count := func(s *socket) (*protocol.Message, error) {
		return s.exchange(s.server.request(1, "Arith", "Count", msgpack, &arith.Operands{}))
	}
	before, err := count(s)
	if err != nil {
		return err
	}
	if err := rejected(func(m *protocol.Message) {
		m.Metadata = nil
		m.ServiceMethod = "Incr"
	})(s); err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(context.Background(), s.deadline)
	defer cancel()
	return overSocket(func(s *socket) error {
		after, err := count(s)
		if err == nil && string(before.Payload) != string(after.Payload) {
			err = fmt.Errorf("the counter went from %x to %x", before.Payload, after.Payload)
		}
		return err
	})(ctx, s.server)
}

// rejectedClient shows what rpcx's client makes of it.
func rejectedClient(ctx context.Context, server Server) error {
	server.Token += " and more"
	return overClient(func(ctx context.Context, s *session) error {
		text, err := serviceError(s.arith(ctx, "Mul", &arith.Operands{}, new(arith.Number)))
		if err != nil {
			return err
		}
		return sameText(text, rejection)
	})(ctx, server)
}
