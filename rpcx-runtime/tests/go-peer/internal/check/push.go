package check

import (
	"context"
	"fmt"
	"strconv"

	"github.com/smallnest/rpcx/protocol"

	"rpcx-go-peer/internal/arith"
)

func pushChecks() []Check {
	return []Check{
		{Name: "push/to-client", run: overClient(pushToClient)},
		{Name: "push/bytes", run: overSocket(pushBytes)},
		{Name: "push/only-to-the-caller", run: onlyToCaller},
		{Name: "push/nobody-listens", run: overClient(nobodyListens)},
	}
}

func (s *session) askForPushes(ctx context.Context, n int) error {
	var out arith.Number
	if err := s.arith(ctx, "Push", &arith.Operands{A: n}, &out); err != nil {
		return err
	}
	if out.C != n {
		return fmt.Errorf("the reply to a request for %d pushes is %d", n, out.C)
	}
	return nil
}

// pushToClient pushes more often than rpcx's client has called, so that sequence numbers collide.
func pushToClient(ctx context.Context, s *session) error {
	const n = 20
	inbox := make(chan *protocol.Message, n)
	s.RegisterServerMessageChan(inbox)
	defer s.UnregisterServerMessageChan()
	if err := s.askForPushes(ctx, n); err != nil {
		return err
	}
	for i := range n {
		select {
		case m := <-inbox:
			if err := isPush(m, i); err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("push %d never came", i)
		}
	}
	return s.multiply(ctx, 4, 4)
}

func isPush(m *protocol.Message, i int) error {
	if m.MessageType() != protocol.Request || !m.IsOneway() || m.IsHeartbeat() || m.SerializeType() != raw ||
		m.CompressType() != plain || m.MessageStatusType() != protocol.Normal {
		return fmt.Errorf("push %d has the header %x", i, *m.Header)
	}
	if m.ServicePath != "push" || m.ServiceMethod != "note" {
		return fmt.Errorf("push %d has the names %q and %q", i, m.ServicePath, m.ServiceMethod)
	}
	if err := sameMetadata(m.Metadata, map[string]string{"n": strconv.Itoa(i)}); err != nil {
		return fmt.Errorf("push %d: %w", i, err)
	}
	if want := fmt.Sprintf("note-%d", i); string(m.Payload) != want {
		return fmt.Errorf("push %d has the payload %.100q", i, m.Payload)
	}
	return nil
}

// pushBytes also holds that the pushes come before the reply.
func pushBytes(s *socket) error {
	request := s.server.request(50, "Arith", "Push", msgpack, &arith.Operands{A: 3})
	if err := s.send(request); err != nil {
		return err
	}
	for i := range 3 {
		m, err := s.receive()
		if err != nil {
			return err
		}
		if err := isPush(m, i); err != nil {
			return err
		}
	}
	response, err := s.receive()
	if err != nil {
		return err
	}
	if err := echoes(request, response); err != nil {
		return err
	}
	return isNumber(response, 3)
}

func onlyToCaller(ctx context.Context, server Server) error {
	other, err := server.dial(ctx)
	if err != nil {
		return err
	}
	defer other.Close()
	if err := other.multiply(1); err != nil {
		return err
	}
	if err := overClient(func(ctx context.Context, s *session) error { return s.askForPushes(ctx, 5) })(ctx, server); err != nil {
		return err
	}
	if err := other.silent(); err != nil {
		return fmt.Errorf("another connection: %w", err)
	}
	return other.multiply(2)
}

func nobodyListens(ctx context.Context, s *session) error {
	for _, n := range []int{0, 1, 100} {
		if err := s.askForPushes(ctx, n); err != nil {
			return err
		}
	}
	return s.multiply(ctx, 4, 4)
}
