package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"github.com/smallnest/rpcx/client"
	"github.com/smallnest/rpcx/protocol"
	"github.com/smallnest/rpcx/share"

	"rpcx-go-peer/internal/arith"
)

// A session is an rpcx client with one connection to the server under test.
type session struct {
	*client.Client
	server Server
	last   atomic.Pointer[protocol.Message]
}

// ClientAfterDecode keeps the message, which makes a session a plugin of its own client.
func (s *session) ClientAfterDecode(m *protocol.Message) error {
	s.last.Store(m)
	return nil
}

// open connects a client.
func (server Server) open(option client.Option) (*session, error) {
	option.TLSConfig = server.TLS
	s := &session{Client: client.NewClient(option), server: server}
	s.Plugins = client.NewPluginContainer()
	s.Plugins.Add(s)
	if err := s.Connect(server.Network, server.Address); err != nil {
		return nil, err
	}
	return s, nil
}

// options are rpcx's defaults but for the time to connect: one second can be short on a busy machine.
func options() client.Option {
	option := client.DefaultOption
	option.ConnectTimeout = 10 * time.Second
	return option
}

// overClient makes a check of f, which gets a MsgPack session.
func overClient(f func(context.Context, *session) error) func(context.Context, Server) error {
	return overClientWith(msgpack, plain, f)
}

func overClientWith(
	codec protocol.SerializeType, compression protocol.CompressType, f func(context.Context, *session) error,
) func(context.Context, Server) error {
	return func(ctx context.Context, server Server) error {
		option := options()
		option.SerializeType, option.CompressType = codec, compression
		s, err := server.open(option)
		if err != nil {
			return err
		}
		defer s.Close()
		return f(ctx, s)
	}
}

// arith calls a method of Arith. A nil reply makes the call oneway.
func (s *session) arith(ctx context.Context, method string, args, reply any) error {
	_, err := s.callWith(ctx, nil, method, args, reply)
	return err
}

// callWith sends metadata with the call and returns the response's.
func (s *session) callWith(
	ctx context.Context, metadata map[string]string, method string, args, reply any,
) (map[string]string, error) {
	received := map[string]string{}
	ctx = context.WithValue(ctx, share.ReqMetaDataKey, s.server.withToken(metadata))
	ctx = context.WithValue(ctx, share.ResMetaDataKey, received)
	err := s.Call(ctx, "Arith", method, args, reply)
	delete(received, share.ServerAddress) // rpcx's client adds it, nothing on the wire
	return received, err
}

func (server Server) withToken(metadata map[string]string) map[string]string {
	sent := maps.Clone(metadata)
	if sent == nil {
		sent = map[string]string{}
	}
	if server.Token != "" {
		sent[share.AuthKey] = server.Token
	}
	return sent
}

// multiply checks one product: the usual question whether a connection still works.
func (s *session) multiply(ctx context.Context, a, b int) error {
	var reply arith.Number
	if err := s.arith(ctx, "Mul", &arith.Operands{A: a, B: b}, &reply); err != nil {
		return fmt.Errorf("%d × %d: %w", a, b, err)
	}
	if reply.C != a*b {
		return fmt.Errorf("%d × %d is %d here", a, b, reply.C)
	}
	return nil
}

// serviceError returns the text of an error that the server sent, as opposed to one of the client's own.
func serviceError(err error) (string, error) {
	if err == nil {
		return "", errors.New("the call succeeded, an error was expected")
	}
	var sent client.ServiceError
	if !errors.As(err, &sent) {
		return "", fmt.Errorf("not an error from the server: %w", err)
	}
	return sent.Error(), nil
}
