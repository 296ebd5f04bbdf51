package check

import (
	"bytes"
	"context"
	"fmt"
	"time"

	testutils "github.com/smallnest/rpcx/_testutils"
	"github.com/smallnest/rpcx/protocol"

	"rpcx-go-peer/internal/arith"
)

// Nothing here is compressed: Go's own gzip hands out buffers that it still uses, so that
// concurrent calls damage each other's payloads.
func concurrencyChecks() []Check {
	return []Check{
		{Name: "concurrency/out-of-order", run: overSocket(outOfOrder)},
		{Name: "concurrency/1000-on-1-connection", run: thousand(1)},
		{Name: "concurrency/1000-on-10-connections", run: thousand(10)},
		{Name: "concurrency/1000-sleepers", run: overClient(sleepers)},
		{Name: "concurrency/mixed-sizes", run: overClient(mixedSizes)},
		{Name: "concurrency/mixed-codecs-on-1-connection", run: overSocket(mixedCodecs)},
	}
}

// outOfOrder sends a slow call ahead of quick ones.
func outOfOrder(s *socket) error {
	slow := s.server.request(0, "Arith", "Sleep", msgpack, &arith.Pause{Ms: 300})
	if err := s.send(slow, s.server.multiplication(1, 6, 7), s.server.multiplication(2, 6, 7)); err != nil {
		return err
	}
	for i := range 3 {
		response, err := s.receive()
		if err != nil {
			return err
		}
		if slowest := response.Seq() == slow.Seq(); slowest != (i == 2) {
			return fmt.Errorf("response number %d came in place %d", response.Seq(), i)
		}
	}
	return nil
}

func thousand(connections int) func(context.Context, Server) error {
	return func(ctx context.Context, server Server) error {
		var sessions []*session
		for range connections {
			s, err := server.open(options())
			if err != nil {
				return err
			}
			defer s.Close()
			sessions = append(sessions, s)
		}
		return each(1000, func(i int) error { return sessions[i%connections].multiply(ctx, i, i+1) })
	}
}

// sleepers would take more than a minute in turn.
func sleepers(ctx context.Context, s *session) error {
	start := time.Now()
	err := each(1000, func(int) error {
		return s.arith(ctx, "Sleep", &arith.Pause{Ms: 100}, new(arith.Number))
	})
	if took := time.Since(start); err == nil && took > 10*time.Second {
		return fmt.Errorf("1000 calls of 100 ms took %v", took)
	}
	return err
}

func mixedSizes(ctx context.Context, s *session) error {
	return each(200, func(i int) error {
		in, out := sample(i*211), []byte(nil)
		err := s.arith(ctx, "Echo", &in, &out)
		if err == nil && !bytes.Equal(in, out) {
			err = fmt.Errorf("%d bytes came back as %d others", len(in), len(out))
		}
		return err
	})
}

// mixedCodecs: the codec belongs to the message, not to the connection.
func mixedCodecs(s *socket) error {
	var requests []*protocol.Message
	for seq := uint64(0); seq < 40; seq += 4 {
		numbers := &arith.Operands{A: 6, B: 7}
		requests = append(requests,
			s.server.request(seq, "Arith", "Mul", msgpack, numbers),
			s.server.request(seq+1, "Arith", "Mul", json, numbers),
			s.server.request(seq+2, "PBArith", "Mul", protobuf, &testutils.ProtoArgs{A: 6, B: 7}),
			s.server.request(seq+3, "Arith", "Echo", raw, []byte("6 × 7")),
		)
	}
	if err := s.send(requests...); err != nil {
		return err
	}
	for range requests {
		response, err := s.receive()
		if err != nil {
			return err
		}
		if response.Seq() >= uint64(len(requests)) {
			return fmt.Errorf("response number %d is unknown", response.Seq())
		}
		if err := echoes(requests[response.Seq()], response); err != nil {
			return err
		}
		switch payload := string(response.Payload); response.SerializeType() {
		case protobuf:
			if payload != "\x08\x2a" {
				err = fmt.Errorf("protobuf payload %x", payload)
			}
		case raw:
			if payload != "6 × 7" {
				err = fmt.Errorf("raw payload %q", payload)
			}
		default:
			err = isNumber(response, 42)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
