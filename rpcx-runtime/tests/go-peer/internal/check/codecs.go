package check

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	testutils "github.com/smallnest/rpcx/_testutils"
	"github.com/smallnest/rpcx/protocol"
	"github.com/smallnest/rpcx/share"
	"google.golang.org/protobuf/encoding/protowire"

	"rpcx-go-peer/internal/arith"
)

const (
	raw      = protocol.SerializeNone
	json     = protocol.JSON
	protobuf = protocol.ProtoBuffer
	msgpack  = protocol.MsgPack

	plain = protocol.None
	gzip  = protocol.Gzip

	// Go compresses payloads longer than this.
	threshold = 1024

	mebibyte = 1 << 20
)

func codecChecks() []Check {
	checks := []Check{
		{Name: "codecs/msgpack-integer-widths", run: overSocket(integerWidths)},
		{Name: "codecs/msgpack-other-layouts", run: overSocket(msgpackLayouts)},
		{Name: "codecs/json-other-layouts", run: overSocket(jsonLayouts)},
		{Name: "codecs/msgpack-nil-bytes", run: overClientWith(msgpack, plain, nilBytes)},
		{Name: "codecs/json-null-bytes", run: overClientWith(json, plain, nilBytes)},
		{Name: "codecs/protobuf-other-layouts", run: overSocket(protobufLayouts)},
		{Name: "codecs/small-gzip-request", run: overSocket(smallGzipRequest)},
		{Name: "codecs/gzip-of-nothing", run: overSocket(gzipOfNothing)},
		{Name: "codecs/small-gzip-request-large-reply", run: overSocket(largeReply)},
		{Name: "codecs/gzip-reply-threshold", run: overSocket(replyThreshold)},
	}
	for _, compression := range []struct {
		suffix string
		kind   protocol.CompressType
	}{
		{"", plain}, {"-gzip", gzip},
	} {
		add := func(name string, codec protocol.SerializeType, f func(context.Context, *session) error) {
			checks = append(checks, Check{
				Name:  "codecs/" + name + compression.suffix,
				run:   overClientWith(codec, compression.kind, f),
				heavy: strings.Contains(name, "mib-"),
			})
		}
		add("mul-msgpack", msgpack, products)
		add("mul-json", json, products)
		add("mul-protobuf", protobuf, protobufProducts)
		for _, codec := range []struct {
			name string
			kind protocol.SerializeType
		}{
			{"raw", raw}, {"msgpack", msgpack}, {"json", json},
		} {
			echo := func(lengths ...int) func(context.Context, *session) error {
				return func(ctx context.Context, s *session) error {
					return echoed(ctx, s, codec.kind, compression.kind, lengths)
				}
			}
			edge := longestWithin(codec.kind, threshold)
			add("echo-"+codec.name, codec.kind, echo(0, 1, 200, edge-1, edge, edge+1, 4000, 1<<16))
			add("echo-1mib-"+codec.name, codec.kind, echo(longestWithin(codec.kind, mebibyte)))
			add("echo-16mib-"+codec.name, codec.kind, echo(longestWithin(codec.kind, 16*mebibyte)))
		}
	}
	return checks
}

// products also holds that a small reply is never compressed.
func products(ctx context.Context, s *session) error {
	for _, in := range []arith.Operands{
		{A: 10, B: 20}, {A: 0, B: 5}, {A: -7, B: 6}, {A: -1, B: -1}, {A: 127, B: 1}, {A: 128, B: 1}, {A: -32, B: 1},
		{A: -33, B: 1}, {A: -129, B: 1}, {A: 255, B: 257}, {A: math.MaxInt32, B: 2}, {A: math.MinInt32, B: 2},
		{A: math.MaxUint32, B: math.MaxInt32}, {A: math.MaxInt64, B: 1}, {A: math.MaxInt64, B: -1}, {A: math.MinInt64, B: 1},
	} {
		if err := s.multiply(ctx, in.A, in.B); err != nil {
			return err
		}
		if got := s.last.Load().CompressType(); got != plain {
			return fmt.Errorf("the reply to %d × %d has compression %d", in.A, in.B, got)
		}
	}
	return nil
}

// paddedArgs are ProtoArgs followed by a field that no server knows.
type paddedArgs struct {
	testutils.ProtoArgs
	padding []byte
}

// Marshal is what rpcx's codec calls.
func (p *paddedArgs) Marshal() ([]byte, error) {
	b, err := p.ProtoArgs.Marshal()
	if len(p.padding) > 0 {
		b = protowire.AppendTag(b, 100, protowire.BytesType)
		b = protowire.AppendBytes(b, p.padding)
	}
	return b, err
}

// protobufProducts pads some requests, since compression starts above a size that two numbers never have.
func protobufProducts(ctx context.Context, s *session) error {
	ctx = context.WithValue(ctx, share.ReqMetaDataKey, s.server.withToken(nil))
	for _, in := range [][2]int32{{10, 20}, {-3, 7}, {0, 9}, {0, 0}, {math.MaxInt32, -1}, {math.MinInt32, 1}} {
		for _, padding := range []int{0, 1, threshold - 20, threshold, 5000, mebibyte} {
			args := &paddedArgs{testutils.ProtoArgs{A: in[0], B: in[1]}, sample(padding)}
			var out testutils.ProtoReply
			if err := s.Call(ctx, "PBArith", "Mul", args, &out); err != nil {
				return fmt.Errorf("%d × %d with %d bytes of padding: %w", in[0], in[1], padding, err)
			}
			if out.C != in[0]*in[1] {
				return fmt.Errorf("%d × %d is %d here", in[0], in[1], out.C)
			}
			if got := s.last.Load().CompressType(); got != plain {
				return fmt.Errorf("the reply to %d × %d has compression %d", in[0], in[1], got)
			}
		}
	}
	return nil
}

// echoed sends byte strings and expects the reply's payload compressed exactly where Go would do so.
func echoed(
	ctx context.Context, s *session, codec protocol.SerializeType, compression protocol.CompressType, lengths []int,
) error {
	for _, length := range lengths {
		in, out := sample(length), []byte(nil)
		if err := s.arith(ctx, "Echo", &in, &out); err != nil {
			return fmt.Errorf("%d bytes: %w", length, err)
		}
		if !bytes.Equal(in, out) {
			return fmt.Errorf("%d bytes came back as %d others", length, len(out))
		}
		payload, err := share.Codecs[codec].Encode(in)
		if err != nil {
			return err
		}
		want := plain
		if len(payload) > threshold {
			want = compression
		}
		response := s.last.Load()
		if got := response.CompressType(); got != want {
			return fmt.Errorf("a payload of %d bytes came back with compression %d, expected %d", len(payload), got, want)
		}
		if !bytes.Equal(payload, response.Payload) {
			return fmt.Errorf("%d bytes are encoded otherwise than by Go", length)
		}
	}
	return nil
}

// longestWithin returns how many bytes can be echoed in a payload of at most limit bytes.
func longestWithin(codec protocol.SerializeType, limit int) int {
	switch codec {
	case json:
		return (limit - len(`""`)) / 4 * 3
	case msgpack:
		if limit <= math.MaxUint16 {
			return limit - 3
		}
		return limit - 5
	default:
		return limit
	}
}

// sample returns bytes that look random for one half, so that they shrink, but not to nothing.
func sample(length int) []byte {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(length))
	b := make([]byte, length)
	rand.NewChaCha8(seed).Read(b)
	const stripe = 512
	for start := stripe; start < length; start += 2 * stripe {
		clear(b[start:min(start+stripe, length)])
	}
	return b
}

// mulPayloads sends payloads for a Mul of 6 and 7.
func mulPayloads(s *socket, codec protocol.SerializeType, payloads map[string][]byte) error {
	for name, payload := range payloads {
		request := s.server.multiplication(1, 0, 0)
		request.SetSerializeType(codec)
		request.Payload = payload
		response, err := s.exchange(request)
		if err == nil {
			err = isNumber(response, 42)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// integerWidths uses every Go integer type, most of which Go writes in full width.
func integerWidths(s *socket) error {
	payloads := map[string][]byte{}
	for _, args := range []any{
		struct{ A, B int8 }{-6, -7}, struct{ A, B int16 }{-6, -7}, struct{ A, B int32 }{-6, -7},
		struct{ A, B int64 }{-6, -7}, struct{ A, B uint8 }{6, 7}, struct{ A, B uint16 }{6, 7},
		struct{ A, B uint32 }{6, 7}, struct{ A, B uint64 }{6, 7}, struct{ A, B uint }{6, 7},
	} {
		payload, err := share.Codecs[msgpack].Encode(args)
		if err != nil {
			return err
		}
		payloads[fmt.Sprintf("%T", args)] = payload
	}
	return mulPayloads(s, msgpack, payloads)
}

// msgpackLayouts are A = 6 and B = 7 as other writers may put them.
func msgpackLayouts(s *socket) error {
	return mulPayloads(s, msgpack, map[string][]byte{
		"B before A":          []byte("\x82\xa1B\x07\xa1A\x06"),
		"array":               []byte("\x92\x06\x07"),
		"unknown field":       []byte("\x83\xa1A\x06\xa4More\x93\x01\xc0\x81\xa1x\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xa1B\x07"),
		"map32, str8 names":   []byte("\xdf\x00\x00\x00\x02\xd9\x01A\x06\xd9\x01B\x07"),
		"int64 for small int": []byte("\x82\xa1A\xd3\x00\x00\x00\x00\x00\x00\x00\x06\xa1B\xcf\x00\x00\x00\x00\x00\x00\x00\x07"),
	})
}

func jsonLayouts(s *socket) error {
	return mulPayloads(s, json, map[string][]byte{
		"B before A":    []byte(`{"B":7,"A":6}`),
		"white space":   []byte(" {\n\t\"A\" : 6 ,\r\n \"B\" : 7 }\n"),
		"unknown field": []byte(`{"A":6,"More":[1,null,{"x":"y"},1.5e3],"B":7}`),
		"escaped names": []byte(`{"\u0041":6,"\u0042":7}`),
	})
}

func protobufLayouts(s *socket) error {
	for name, c := range map[string]struct{ payload, want string }{
		"B before A":         {"\x10\x07\x08\x06", "\x08\x2a"},
		"A twice, last wins": {"\x08\x01\x10\x07\x08\x06", "\x08\x2a"},
		"over-long varints":  {"\x08\x86\x80\x00\x10\x87\x00", "\x08\x2a"},
		"unknown fields":     {"\x1a\x03xyz\x08\x06\x25\x01\x02\x03\x04\x10\x07", "\x08\x2a"},
		"zero":               {"\x08\x06", ""},
		"nothing":            {"", ""},
		"negative":           {"\x08\x06\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x08\xfa\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
	} {
		request := s.server.request(3, "PBArith", "Mul", protobuf, &testutils.ProtoArgs{})
		request.Payload = []byte(c.payload)
		response, err := s.exchange(request)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if response.MessageStatusType() != protocol.Normal || string(response.Payload) != c.want {
			return fmt.Errorf("%s: status %d, payload %x, metadata %.200q, expected payload %x",
				name, response.MessageStatusType(), response.Payload, response.Metadata, c.want)
		}
	}
	return nil
}

// nilBytes sends what Go writes for a slice that was never set.
func nilBytes(ctx context.Context, s *session) error {
	var in []byte
	out := []byte("untouched")
	if err := s.arith(ctx, "Echo", &in, &out); err != nil {
		return err
	}
	if len(out) > 0 {
		return fmt.Errorf("nothing came back as %q", out)
	}
	return nil
}

// smallGzipRequest compresses below the threshold, as no Go client does but any may.
func smallGzipRequest(s *socket) error {
	request := s.server.multiplication(9, 6, 7)
	request.SetCompressType(gzip)
	response, err := s.exchange(request)
	if err != nil {
		return err
	}
	if response.CompressType() != plain {
		return errors.New("the small reply is compressed")
	}
	return isNumber(response, 42)
}

func gzipOfNothing(s *socket) error {
	request := s.server.request(9, "Arith", "Echo", raw, []byte{})
	request.SetCompressType(gzip)
	response, err := s.exchange(request)
	if err != nil {
		return err
	}
	if response.MessageStatusType() != protocol.Normal || len(response.Payload) > 0 {
		return fmt.Errorf("status %d, payload %x", response.MessageStatusType(), response.Payload)
	}
	return nil
}

// largeReply asks for a reply above the threshold with a request below it.
func largeReply(s *socket) error {
	for _, compression := range []protocol.CompressType{plain, gzip} {
		request := s.server.request(9, "Arith", "Meta", msgpack, &arith.Nothing{})
		request.SetCompressType(compression)
		request.Metadata["long"] = string(bytes.Repeat([]byte("long "), 1000))
		response, err := s.exchange(request)
		if err != nil {
			return err
		}
		if got := response.CompressType(); got != compression {
			return fmt.Errorf("compression %d for a request with %d", got, compression)
		}
		var seen arith.Labels
		if err := share.Codecs[msgpack].Decode(response.Payload, &seen); err != nil {
			return err
		}
		if seen.Meta["long"] != request.Metadata["long"] {
			return errors.New("the metadata came back changed")
		}
	}
	return nil
}

// replyThreshold compresses every request: Go's client would not, at the sizes where the reply's rule shows.
func replyThreshold(s *socket) error {
	for _, codec := range []protocol.SerializeType{raw, json, msgpack} {
		for _, limit := range []int{threshold - 1, threshold, threshold + 1, threshold + 2} {
			request := s.server.request(9, "Arith", "Echo", codec, sample(longestWithin(codec, limit)))
			request.SetCompressType(gzip)
			response, err := s.exchange(request)
			if err != nil {
				return err
			}
			want := plain
			if len(request.Payload) > threshold {
				want = gzip
			}
			if got := response.CompressType(); got != want || !bytes.Equal(response.Payload, request.Payload) {
				return fmt.Errorf("codec %d, a payload of %d bytes: %d bytes came back with compression %d, expected %d",
					codec, len(request.Payload), len(response.Payload), got, want)
			}
		}
	}
	return nil
}
