package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/smallnest/rpcx/protocol"

	"rpcx-go-peer/internal/arith"
)

func heartbeatChecks() []Check {
	return []Check{
		{Name: "heartbeat/by-client", run: overClient(clientHeartbeat)},
		{Name: "heartbeat/keeps-client-open", run: keepsOpen},
		{Name: "heartbeat/echoes-everything", run: overSocket(wholeEcho(func(*protocol.Message) {}))},
		{Name: "heartbeat/echoes-oneway", run: overSocket(wholeEcho(func(m *protocol.Message) { m.SetOneway(true) }))},
		{Name: "heartbeat/echoes-unknown-codec", run: overSocket(wholeEcho(func(m *protocol.Message) { m.SetSerializeType(14) }))},
		{Name: "heartbeat/echoes-gzip", run: overSocket(wholeEcho(func(m *protocol.Message) { m.SetCompressType(gzip) }))},
		{Name: "heartbeat/echoes-64kib", run: overSocket(wholeEcho(func(m *protocol.Message) { m.Payload = sample(1 << 16) }))},
		{Name: "heartbeat/echoes-nothing", run: overSocket(wholeEcho(func(m *protocol.Message) {
			m.ServicePath, m.ServiceMethod, m.Metadata, m.Payload = "", "", nil, nil
		}))},
		{Name: "heartbeat/wins-over-service", run: overSocket(wholeEcho(func(m *protocol.Message) {
			m.ServicePath, m.ServiceMethod = "Arith", "Incr"
		}))},
		{Name: "heartbeat/during-calls", run: overClient(duringCalls)},
	}
}

// clientHeartbeat sends what rpcx's client sends: a number, with no names.
func clientHeartbeat(ctx context.Context, s *session) error {
	for _, in := range []int64{0, 1, -1, math.MaxInt64, time.Now().UnixNano()} {
		var out int64
		if err := s.Call(ctx, "", "", &in, &out); err != nil {
			return fmt.Errorf("%d: %w", in, err)
		}
		if in != out {
			return fmt.Errorf("%d came back as %d", in, out)
		}
		if last := s.last.Load(); !last.IsHeartbeat() || last.MessageType() != protocol.Response {
			return fmt.Errorf("flags %08b do not mark a heartbeat's response", last.Header[2])
		}
	}
	return nil
}

// keepsOpen lets rpcx's client send heartbeats by itself; it closes when one fails.
func keepsOpen(ctx context.Context, server Server) error {
	option := options()
	option.Heartbeat, option.HeartbeatInterval = true, 10*time.Millisecond
	s, err := server.open(option)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.arith(ctx, "Sleep", &arith.Pause{Ms: 200}, new(arith.Number)); err != nil {
		return err
	}
	if s.IsShutdown() || s.IsClosing() {
		return errors.New("the client gave the connection up")
	}
	return s.multiply(ctx, 1, 1)
}

// wholeEcho sends a heartbeat that change has made special. It carries no token.
func wholeEcho(change func(*protocol.Message)) func(*socket) error {
	return func(s *socket) error {
		request := protocol.NewMessage()
		request.SetHeartbeat(true)
		request.SetVersion(7)
		request.SetSerializeType(msgpack)
		request.SetSeq(1<<40 + 5)
		request.ServicePath, request.ServiceMethod = "any path", "any method"
		request.Metadata = map[string]string{"a": "1", "": "é"}
		request.Payload = []byte("\xc1 is no msgpack")
		change(request)
		response, err := s.exchange(request)
		if err != nil {
			return err
		}
		if status := response.MessageStatusType(); status != protocol.Normal {
			return fmt.Errorf("status %d", status)
		}
		if err := sameMetadata(response.Metadata, request.Metadata); err != nil {
			return err
		}
		if !bytes.Equal(response.Payload, request.Payload) {
			return fmt.Errorf("payload %.100q, expected %.100q", response.Payload, request.Payload)
		}
		return nil
	}
}

func duringCalls(ctx context.Context, s *session) error {
	return each(100, func(i int) error {
		if i%2 == 0 {
			return s.arith(ctx, "Sleep", &arith.Pause{Ms: 100}, new(arith.Number))
		}
		in, out := int64(i), int64(0)
		err := s.Call(ctx, "", "", &in, &out)
		if err == nil && in != out {
			err = fmt.Errorf("%d came back as %d", in, out)
		}
		return err
	})
}
