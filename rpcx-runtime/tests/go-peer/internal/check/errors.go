package check

import (
	"context"
	"errors"
	"fmt"
	"strings"

	testutils "github.com/smallnest/rpcx/_testutils"
	"github.com/smallnest/rpcx/protocol"

	"rpcx-go-peer/internal/arith"
)

func errorChecks() []Check {
	var checks []Check
	for _, c := range []struct{ name, text string }{
		{"plain", "division by zero"},
		{"empty", ""},
		{"multi-line", "first\nsecond\r\n\tthird\n"},
		{"unicode", "größer als 0: 错误 💥 \u2028 e\u0301"},
		{"control-characters", "nul \x00 quote \" back\\slash \x7f"},
		{"15kb", strings.Repeat("fifteen bytes. ", 1024)},
	} {
		checks = append(checks,
			Check{Name: "errors/text-" + c.name, run: overClient(failsWith(c.text))},
			Check{Name: "errors/text-" + c.name + "-json", run: overClientWith(json, plain, failsWith(c.text))},
		)
	}
	for _, c := range []struct{ name, service, method, text string }{
		{"unknown-service", "Missing", "Mul", "rpcx: can't find service Missing"},
		{"unknown-service-unicode", "不存在", "Mul", "rpcx: can't find service 不存在"},
		{"empty-service", "", "Mul", "rpcx: can't find service "},
		{"empty-names", "", "", "rpcx: can't find service "},
		{"service-in-lower-case", "arith", "Mul", "rpcx: can't find service arith"},
		{"unknown-method", "Arith", "Missing", "rpcx: can't find method Missing"},
		{"empty-method", "Arith", "", "rpcx: can't find method "},
		{"method-in-lower-case", "Arith", "mul", "rpcx: can't find method mul"},
	} {
		checks = append(checks, Check{Name: "errors/" + c.name, run: overSocket(notFound(c.service, c.method, c.text))})
	}
	return append(checks,
		Check{Name: "errors/unknown-codec", run: overSocket(unknownCodec)},
		Check{Name: "errors/bad-payload", run: overSocket(badPayloads)},
		Check{Name: "errors/codec-the-type-does-not-have", run: overSocket(wrongCodec)},
		Check{Name: "errors/panic", run: overClient(panics)},
	)
}

func failsWith(want string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		got, err := serviceError(s.arith(ctx, "Error", &arith.Text{Msg: want}, new(arith.Number)))
		if err != nil {
			return err
		}
		if err := sameText(got, want); err != nil {
			return err
		}
		response := s.last.Load()
		if response.MessageType() != protocol.Response || response.MessageStatusType() != protocol.Error {
			return fmt.Errorf("flags %08b do not mark an error response", response.Header[2])
		}
		return s.multiply(ctx, 2, 21)
	}
}

// notFound asks with every codec and with one that does not exist: the names are looked up first.
func notFound(service, method, text string) func(*socket) error {
	return func(s *socket) error {
		for seq, codec := range []protocol.SerializeType{raw, json, protobuf, msgpack, 12} {
			request := s.server.multiplication(uint64(seq), 1, 1)
			request.SetSerializeType(codec)
			request.ServicePath, request.ServiceMethod = service, method
			response, err := s.exchange(request)
			if err == nil {
				err = hasText(response, text)
			}
			if err != nil {
				return fmt.Errorf("codec %d: %w", codec, err)
			}
		}
		return s.multiply(100)
	}
}

func unknownCodec(s *socket) error {
	for codec := protocol.SerializeType(5); codec < 16; codec++ {
		request := s.server.multiplication(uint64(codec), 1, 1)
		request.SetSerializeType(codec)
		response, err := s.exchange(request)
		if err == nil {
			err = hasText(response, fmt.Sprintf("can not find codec for %d", codec))
		}
		if err != nil {
			return fmt.Errorf("codec %d: %w", codec, err)
		}
	}
	return s.multiply(100)
}

// badPayloads holds that what does not decode costs that call an error, and the connection nothing.
func badPayloads(s *socket) error {
	for _, c := range []struct {
		service  string
		codec    protocol.SerializeType
		payloads []string
	}{
		{"Arith", msgpack, []string{"", "\xc1", "\x92\x01", "junk", "\x82\xa1A", "\x81\xa1A\xa1x", "\xdf\xff\xff\xff\xff"}},
		{"Arith", json, []string{"", "{", `{"A":"x"}`, `{"A":1.5}`, `{"A":1,}`, "[", "nope", "\x00"}},
		{"PBArith", protobuf, []string{"\x08", "\x08\xff", "\x1a\x7fshort", "\x07"}},
	} {
		for _, payload := range c.payloads {
			request := s.server.multiplication(5, 0, 0)
			request.ServicePath = c.service
			request.SetSerializeType(c.codec)
			request.Payload = []byte(payload)
			response, err := s.exchange(request)
			if err == nil {
				err = hasSomeText(response)
			}
			if err != nil {
				return fmt.Errorf("codec %d, payload %q: %w", c.codec, payload, err)
			}
		}
	}
	return s.multiply(6)
}

// hasSomeText is for errors whose text is the implementation's own.
func hasSomeText(response *protocol.Message) error {
	text, err := isFailure(response)
	if err == nil && text == "" {
		err = errors.New("the error text is empty")
	}
	return err
}

func wrongCodec(s *socket) error {
	for _, request := range []*protocol.Message{
		s.server.request(1, "Arith", "Mul", raw, []byte("bytes for a struct")),
		s.server.request(2, "Arith", "Mul", protobuf, &testutils.ProtoArgs{A: 1, B: 2}),
		s.server.request(3, "Arith", "Echo", protobuf, &testutils.ProtoArgs{A: 1, B: 2}),
	} {
		response, err := s.exchange(request)
		if err == nil {
			err = hasSomeText(response)
		}
		if err != nil {
			return fmt.Errorf("%s with codec %d: %w", request.ServiceMethod, request.SerializeType(), err)
		}
	}
	return s.multiply(4)
}

// panics lets a method panic while another call of the connection runs.
func panics(ctx context.Context, s *session) error {
	other := make(chan error, 1)
	go func() { other <- s.arith(ctx, "Sleep", &arith.Pause{Ms: 100}, new(arith.Number)) }()
	for range 3 {
		text, err := serviceError(s.arith(ctx, "Panic", &arith.Text{Msg: "as asked"}, new(arith.Number)))
		if err != nil {
			return err
		}
		if text == "" {
			return errors.New("the error text is empty")
		}
	}
	if err := s.multiply(ctx, 3, 3); err != nil {
		return err
	}
	return <-other
}
