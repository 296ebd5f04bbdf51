package check

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/smallnest/rpcx/protocol"
	"github.com/smallnest/rpcx/share"

	"rpcx-go-peer/internal/arith"
)

// A socket is a bare connection to the server under test.
type socket struct {
	net.Conn
	server   Server
	in       *bufio.Reader
	deadline time.Time
}

func (server Server) dial(ctx context.Context) (*socket, error) {
	var dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = new(net.Dialer)
	if server.TLS != nil {
		dialer = &tls.Dialer{Config: server.TLS}
	}
	conn, err := dialer.DialContext(ctx, server.Network, server.Address)
	if err != nil {
		return nil, err
	}
	s := &socket{Conn: conn, server: server, in: bufio.NewReader(conn)}
	s.deadline, _ = ctx.Deadline()
	return s, s.SetDeadline(s.deadline)
}

// overSocket makes a check of f.
func overSocket(f func(*socket) error) func(context.Context, Server) error {
	return func(ctx context.Context, server Server) error {
		s, err := server.dial(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		return f(s)
	}
}

// request makes a request with the token; args are encoded with codec.
func (server Server) request(
	seq uint64, service, method string, codec protocol.SerializeType, args any,
) *protocol.Message {
	payload, err := share.Codecs[codec].Encode(args)
	if err != nil {
		panic(err) // the checks only encode types that the codec has
	}
	m := protocol.NewMessage()
	m.SetSeq(seq)
	m.SetSerializeType(codec)
	m.ServicePath, m.ServiceMethod = service, method
	m.Metadata = server.withToken(nil)
	m.Payload = payload
	return m
}

// multiplication makes a MsgPack request for Arith.Mul.
func (server Server) multiplication(seq uint64, a, b int) *protocol.Message {
	return server.request(seq, "Arith", "Mul", msgpack, &arith.Operands{A: a, B: b})
}

// send writes all messages in one piece.
func (s *socket) send(messages ...*protocol.Message) error {
	_, err := s.Write(encode(messages...))
	return err
}

func encode(messages ...*protocol.Message) []byte {
	var frames []byte
	for _, m := range messages {
		frames = append(frames, m.Encode()...)
	}
	return frames
}

// receive reads a message. Go's reader looks at few of the lengths; here all must add up.
func (s *socket) receive() (*protocol.Message, error) {
	frame := make([]byte, prefix)
	if _, err := io.ReadFull(s.in, frame); err != nil {
		return nil, fmt.Errorf("no whole header: %w", err)
	}
	if frame[0] != protocol.MagicNumber() {
		return nil, fmt.Errorf("%x does not start a message", frame)
	}
	total := binary.BigEndian.Uint32(frame[12:])
	if total > longest {
		return nil, fmt.Errorf("a message claims %d bytes", total)
	}
	frame = append(frame, make([]byte, total)...)
	if _, err := io.ReadFull(s.in, frame[prefix:]); err != nil {
		return nil, fmt.Errorf("no whole message of %d bytes: %w", total, err)
	}
	if err := wellFormed(frame[prefix:]); err != nil {
		return nil, err
	}
	return protocol.Read(bytes.NewReader(frame))
}

const (
	prefix  = 16 // header and total length
	longest = 64 << 20
)

func wellFormed(body []byte) error {
	var metadata []byte
	for _, field := range []string{"path", "method", "metadata", "payload"} {
		content, rest, err := cut(body)
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		if field == "metadata" {
			metadata = content
		}
		body = rest
	}
	if len(body) > 0 {
		return fmt.Errorf("%d bytes follow the payload", len(body))
	}
	for items := 0; len(metadata) > 0 || items%2 == 1; items++ {
		_, rest, err := cut(metadata)
		if err != nil {
			return fmt.Errorf("metadata item %d: %w", items, err)
		}
		metadata = rest
	}
	return nil
}

// cut takes a length and as many bytes off the front.
func cut(b []byte) (content, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, fmt.Errorf("%d bytes left, too few for a length", len(b))
	}
	length, rest := binary.BigEndian.Uint32(b), b[4:]
	if uint64(length) > uint64(len(rest)) {
		return nil, nil, fmt.Errorf("claims %d bytes, %d are left", length, len(rest))
	}
	return rest[:length], rest[length:], nil
}

// exchange sends a request and returns its response, which must echo what a response echoes.
func (s *socket) exchange(request *protocol.Message) (*protocol.Message, error) {
	if err := s.send(request); err != nil {
		return nil, err
	}
	response, err := s.receive()
	if err != nil {
		return nil, err
	}
	return response, echoes(request, response)
}

// echoes compares header and names. Compression and status are the server's own.
func echoes(request, response *protocol.Message) error {
	want, got := *request.Header, *response.Header
	want.SetMessageType(protocol.Response)
	for _, h := range []*protocol.Header{&want, &got} {
		h.SetCompressType(plain)
		h.SetMessageStatusType(protocol.Normal)
	}
	if got != want {
		return fmt.Errorf("header %x (compression and status cleared), expected %x", got, want)
	}
	if response.ServicePath != request.ServicePath || response.ServiceMethod != request.ServiceMethod {
		return fmt.Errorf("names %q and %q, expected %q and %q",
			response.ServicePath, response.ServiceMethod, request.ServicePath, request.ServiceMethod)
	}
	return nil
}

// multiply checks that the connection still answers.
func (s *socket) multiply(seq uint64) error {
	response, err := s.exchange(s.server.multiplication(seq, 6, 7))
	if err != nil {
		return fmt.Errorf("6 × 7: %w", err)
	}
	return isNumber(response, 42)
}

// isNumber checks a successful response with an arith.Number.
func isNumber(response *protocol.Message, want int) error {
	if status := response.MessageStatusType(); status != protocol.Normal {
		return fmt.Errorf("status %d, metadata %.200q, expected the number %d", status, response.Metadata, want)
	}
	if text, ok := response.Metadata[protocol.ServiceError]; ok {
		return fmt.Errorf("a successful response has the error text %q", text)
	}
	var got arith.Number
	if err := share.Codecs[response.SerializeType()].Decode(response.Payload, &got); err != nil {
		return fmt.Errorf("payload %x: %w", response.Payload, err)
	}
	if got.C != want {
		return fmt.Errorf("the number is %d, expected %d", got.C, want)
	}
	return nil
}

// isFailure checks an error response and returns its text.
func isFailure(response *protocol.Message) (string, error) {
	if status := response.MessageStatusType(); status != protocol.Error {
		return "", fmt.Errorf("status %d, an error was expected", status)
	}
	text, ok := response.Metadata[protocol.ServiceError]
	if !ok {
		return "", fmt.Errorf("no error text in the metadata %.200q", response.Metadata)
	}
	return text, nil
}

// hasText is isFailure for a text that is known.
func hasText(response *protocol.Message, want string) error {
	got, err := isFailure(response)
	if err != nil {
		return err
	}
	return sameText(got, want)
}

// sameText compares error texts.
func sameText(got, want string) error {
	if got == want {
		return nil
	}
	same := 0
	for same < min(len(got), len(want)) && got[same] == want[same] {
		same++
	}
	return fmt.Errorf("error text of %d bytes, expected %d; after %d it goes on with %.60q, expected %.60q",
		len(got), len(want), same, got[same:], want[same:])
}

// silent checks that the server sends nothing for a while.
func (s *socket) silent() error {
	if err := s.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return err
	}
	if first, err := s.in.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("expected silence, got %x, %v", first, err)
	}
	return s.SetReadDeadline(s.deadline)
}

// ends checks that the server closes the connection and sends nothing more.
func (s *socket) ends() error {
	if err := s.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	first, err := s.in.Peek(1)
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return fmt.Errorf("expected the end of the connection, got %x, %v", first, err)
}
