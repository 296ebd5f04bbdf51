package arith

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	testutils "github.com/smallnest/rpcx/_testutils"
	"github.com/smallnest/rpcx/server"
	"github.com/smallnest/rpcx/share"
)

// Register adds Arith and PBArith to s.
func Register(s *server.Server) error {
	return errors.Join(
		s.RegisterName("Arith", &Service{server: s}, ""),
		s.RegisterName("PBArith", &ProtobufService{}, ""),
	)
}

// Service is Arith.
type Service struct {
	server  *server.Server // pushes go through it
	counter atomic.Int64
}

// Mul multiplies.
func (*Service) Mul(_ context.Context, in *Operands, out *Number) error {
	out.C = in.A * in.B
	return nil
}

// Add adds.
func (*Service) Add(_ context.Context, in *Operands, out *Number) error {
	out.C = in.A + in.B
	return nil
}

// Error fails with the given text.
func (*Service) Error(_ context.Context, in *Text, _ *Number) error {
	return errors.New(in.Msg)
}

// Sleep waits for the given time, or until the request's deadline if that comes first.
func (*Service) Sleep(ctx context.Context, in *Pause, out *Number) error {
	timer := time.NewTimer(time.Duration(in.Ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		out.C = in.Ms
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Echo gives the bytes back.
func (*Service) Echo(_ context.Context, in *[]byte, out *[]byte) error {
	*out = *in
	return nil
}

// Panic panics.
func (*Service) Panic(_ context.Context, in *Text, _ *Number) error {
	panic(in.Msg)
}

// Meta returns the request's metadata, and the same again as response metadata under echo-KEY.
func (*Service) Meta(ctx context.Context, _ *Nothing, out *Labels) error {
	request, _ := ctx.Value(share.ReqMetaDataKey).(map[string]string)
	response, ok := ctx.Value(share.ResMetaDataKey).(map[string]string)
	if !ok {
		return errors.New("the context has no response metadata")
	}
	out.Meta = map[string]string{}
	maps.Copy(out.Meta, request)
	for key, value := range request {
		response["echo-"+key] = value
	}
	return nil
}

// Incr adds A to the counter and returns the sum.
func (s *Service) Incr(_ context.Context, in *Operands, out *Number) error {
	out.C = int(s.counter.Add(int64(in.A)))
	return nil
}

// Count returns the counter.
func (s *Service) Count(_ context.Context, _ *Operands, out *Number) error {
	out.C = int(s.counter.Load())
	return nil
}

// Push sends A messages over the caller's connection before it answers.
func (s *Service) Push(ctx context.Context, in *Operands, out *Number) error {
	conn, ok := ctx.Value(server.RemoteConnContextKey).(net.Conn)
	if !ok {
		return errors.New("the context has no connection")
	}
	for i := range in.A {
		label := map[string]string{"n": strconv.Itoa(i)}
		if err := s.server.SendMessage(conn, "push", "note", label, fmt.Appendf(nil, "note-%d", i)); err != nil {
			return err
		}
	}
	out.C = in.A
	return nil
}

// ProtobufService is PBArith.
type ProtobufService struct{}

// Mul multiplies.
func (*ProtobufService) Mul(_ context.Context, in *testutils.ProtoArgs, out *testutils.ProtoReply) error {
	out.C = in.A * in.B
	return nil
}
