package check

import (
	"context"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/smallnest/rpcx/client"
	"github.com/smallnest/rpcx/share"

	"rpcx-go-peer/internal/arith"
)

func callChecks() []Check {
	return []Check{
		{Name: "calls/add", run: overClient(sums)},
		{Name: "calls/asynchronous", run: overClient(asynchronous)},
		{Name: "calls/reconnect-100", run: reconnects},
		{Name: "calls/hang-up-during-call", run: hangUp},
		{Name: "calls/xclient-failtry", run: overXClient(client.Failtry, nil, severalProducts)},
		{Name: "calls/xclient-failover", run: overXClient(client.Failover, unreachable, severalProducts)},
		{Name: "calls/xclient-broadcast", run: overXClient(client.Failfast, nil, broadcast)},
		{Name: "calls/xclient-error", run: overXClient(client.Failtry, nil, xclientError)},
	}
}

func sums(ctx context.Context, s *session) error {
	for _, in := range []arith.Operands{
		{A: 2, B: 3}, {A: -5, B: 3}, {A: math.MaxInt64, B: math.MinInt64}, {A: math.MinInt64}, {},
	} {
		var out arith.Number
		if err := s.arith(ctx, "Add", &in, &out); err != nil {
			return fmt.Errorf("%d + %d: %w", in.A, in.B, err)
		}
		if out.C != in.A+in.B {
			return fmt.Errorf("%d + %d is %d here", in.A, in.B, out.C)
		}
	}
	return nil
}

// asynchronous starts calls with Go and collects them afterwards from one channel.
func asynchronous(ctx context.Context, s *session) error {
	const n = 50
	done := make(chan *client.Call, n)
	ctx = context.WithValue(ctx, share.ReqMetaDataKey, s.server.withToken(nil))
	for i := range n {
		s.Go(ctx, "Arith", "Mul", &arith.Operands{A: i, B: i}, new(arith.Number), done)
	}
	for range n {
		select {
		case call := <-done:
			in, out := call.Args.(*arith.Operands), call.Reply.(*arith.Number)
			if call.Error != nil {
				return call.Error
			}
			if out.C != in.A*in.B {
				return fmt.Errorf("%d × %d is %d here", in.A, in.B, out.C)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func reconnects(ctx context.Context, server Server) error {
	for i := range 100 {
		if err := overSocket(func(s *socket) error { return s.multiply(uint64(i)) })(ctx, server); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	return nil
}

// hangUp leaves calls behind, with and without a connection that could take the answer.
func hangUp(ctx context.Context, server Server) error {
	for range 20 {
		s, err := server.dial(ctx)
		if err != nil {
			return err
		}
		err = s.send(server.request(1, "Arith", "Sleep", msgpack, &arith.Pause{Ms: 50}), server.multiplication(2, 2, 2))
		s.Close()
		if err != nil {
			return err
		}
	}
	return overClient(func(ctx context.Context, s *session) error {
		time.Sleep(silence) // the sleepers wake to closed connections
		return s.multiply(ctx, 7, 7)
	})(ctx, server)
}

// overXClient makes a check of f, which gets an XClient for Arith. If other is given, the address
// that it returns is listed before the server's.
func overXClient(
	mode client.FailMode, other func(Server) (string, error), f func(context.Context, client.XClient) error,
) func(context.Context, Server) error {
	return func(ctx context.Context, server Server) error {
		var pairs []*client.KVPair
		if other != nil {
			address, err := other(server)
			if err != nil {
				return err
			}
			pairs = append(pairs, &client.KVPair{Key: server.Network + "@" + address})
		}
		pairs = append(pairs, &client.KVPair{Key: server.Network + "@" + server.Address})
		discovery, err := client.NewMultipleServersDiscovery(pairs)
		if err != nil {
			return err
		}
		option := options()
		option.TLSConfig = server.TLS
		x := client.NewXClient("Arith", mode, client.RoundRobin, discovery, option)
		defer x.Close()
		if server.Token != "" {
			x.Auth(server.Token)
		}
		return f(ctx, x)
	}
}

// unreachable returns an address on which nobody listens.
func unreachable(server Server) (string, error) {
	if server.Network == "unix" {
		return server.Address + ".nobody", nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func severalProducts(ctx context.Context, x client.XClient) error {
	for i := range 10 {
		var out arith.Number
		if err := x.Call(ctx, "Mul", &arith.Operands{A: i, B: -3}, &out); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
		if out.C != -3*i {
			return fmt.Errorf("%d × -3 is %d here", i, out.C)
		}
	}
	return nil
}

func broadcast(ctx context.Context, x client.XClient) error {
	var out arith.Number
	if err := x.Broadcast(ctx, "Mul", &arith.Operands{A: 9, B: 9}, &out); err != nil {
		return err
	}
	if out.C != 81 {
		return fmt.Errorf("9 × 9 is %d here", out.C)
	}
	return nil
}

func xclientError(ctx context.Context, x client.XClient) error {
	for _, want := range []string{"no luck", ""} {
		text, err := serviceError(x.Call(ctx, "Error", &arith.Text{Msg: want}, new(arith.Number)))
		if err != nil {
			return err
		}
		if err := sameText(text, want); err != nil {
			return err
		}
	}
	return severalProducts(ctx, x)
}
