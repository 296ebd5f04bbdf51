package check

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/smallnest/rpcx/protocol"
)

func framingChecks() []Check {
	return []Check{
		{Name: "framing/sequence-numbers", run: overSocket(sequenceNumbers)},
		{Name: "framing/versions", run: overSocket(versions)},
		{Name: "framing/reserved-bits", run: overSocket(reservedBits)},
		{Name: "framing/response-as-request", run: overSocket(responseAsRequest)},
		{Name: "framing/same-sequence-number", run: overSocket(sameNumber)},
		{Name: "framing/byte-by-byte", run: overSocket(byteByByte)},
		{Name: "framing/odd-pieces", run: overSocket(oddPieces)},
		{Name: "framing/10000-in-one-write", run: overSocket(pipeline)},
		{Name: "framing/bad-magic-later", run: badMagic},
		{Name: "framing/half-a-message", run: halfMessage},
	}
}

func sequenceNumbers(s *socket) error {
	for _, seq := range []uint64{0, 1, math.MaxInt32, math.MaxUint32 + 1, 1 << 53, math.MaxInt64, 1 << 63, math.MaxUint64} {
		if err := s.multiply(seq); err != nil {
			return fmt.Errorf("number %d: %w", seq, err)
		}
	}
	return nil
}

func versions(s *socket) error {
	for _, version := range []byte{1, 8, 0xff} {
		request := s.server.multiplication(1, 6, 7)
		request.SetVersion(version)
		response, err := s.exchange(request)
		if err == nil {
			err = isNumber(response, 42)
		}
		if err != nil {
			return fmt.Errorf("version %d: %w", version, err)
		}
	}
	return nil
}

// reservedBits are the low half of byte 3, which Go ignores and hands back.
func reservedBits(s *socket) error {
	request := s.server.multiplication(1, 6, 7)
	request.Header[3] |= 0x0f
	response, err := s.exchange(request)
	if err != nil {
		return err
	}
	return isNumber(response, 42)
}

func responseAsRequest(s *socket) error {
	request := s.server.multiplication(1, 6, 7)
	request.SetMessageType(protocol.Response)
	response, err := s.exchange(request)
	if err != nil {
		return err
	}
	return isNumber(response, 42)
}

func sameNumber(s *socket) error {
	const seq = 8
	if err := s.send(s.server.multiplication(seq, 2, 3), s.server.multiplication(seq, 5, 1), s.server.multiplication(seq, 7, 1)); err != nil {
		return err
	}
	left := map[int]bool{6: true, 5: true, 7: true}
	for range 3 {
		response, err := s.receive()
		if err != nil {
			return err
		}
		if got := response.Seq(); got != seq {
			return fmt.Errorf("a response has the number %d", got)
		}
		for product := range left {
			if isNumber(response, product) == nil {
				delete(left, product)
			}
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("not answered: %v", left)
	}
	return s.silent()
}

func byteByByte(s *socket) error {
	for _, b := range encode(s.server.multiplication(1, 6, 7)) {
		if _, err := s.Write([]byte{b}); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	response, err := s.receive()
	if err != nil {
		return err
	}
	return isNumber(response, 42)
}

// oddPieces cuts a stream of messages at every place but between two of them.
func oddPieces(s *socket) error {
	frame := len(encode(s.server.multiplication(0, 6, 7)))
	var stream []byte
	for seq := range frame {
		stream = append(stream, encode(s.server.multiplication(uint64(seq), 6, 7))...)
	}
	sent := make(chan error, 1)
	go func() {
		for len(stream) > 0 {
			n := min(frame+1, len(stream))
			if _, err := s.Write(stream[:n]); err != nil {
				sent <- err
				return
			}
			stream = stream[n:]
			time.Sleep(time.Millisecond)
		}
		sent <- nil
	}()
	return errors.Join(s.collect(frame, func(uint64) int { return 42 }), <-sent)
}

func pipeline(s *socket) error {
	const n = 10_000
	requests := make([]*protocol.Message, n)
	for i := range requests {
		requests[i] = s.server.multiplication(uint64(i), i, 3)
	}
	sent := make(chan error, 1)
	go func() { sent <- s.send(requests...) }()
	return errors.Join(s.collect(n, func(seq uint64) int { return 3 * int(seq) }), <-sent)
}

// collect reads n responses in any order; that with number i must hold want(i).
func (s *socket) collect(n int, want func(uint64) int) error {
	seen := make([]bool, n)
	for i := range n {
		response, err := s.receive()
		if err != nil {
			return fmt.Errorf("after %d responses: %w", i, err)
		}
		seq := response.Seq()
		if seq >= uint64(n) || seen[seq] {
			return fmt.Errorf("response number %d is unknown or repeated", seq)
		}
		seen[seq] = true
		if err := isNumber(response, want(seq)); err != nil {
			return fmt.Errorf("response number %d: %w", seq, err)
		}
	}
	return nil
}

// badMagic breaks the stream after a good message: nothing after that point can be trusted.
func badMagic(ctx context.Context, server Server) error {
	if err := overSocket(func(s *socket) error {
		if err := s.multiply(1); err != nil {
			return err
		}
		frame := encode(server.multiplication(2, 6, 7))
		frame[0]++
		if _, err := s.Write(frame); err != nil {
			return err
		}
		return s.ends()
	})(ctx, server); err != nil {
		return err
	}
	return overSocket(func(s *socket) error { return s.multiply(3) })(ctx, server)
}

func halfMessage(ctx context.Context, server Server) error {
	frame := encode(server.multiplication(1, 6, 7))
	for _, length := range []int{1, 11, 13, 16, 20, len(frame) - 1} {
		if err := overSocket(func(s *socket) error {
			_, err := s.Write(frame[:length])
			return err
		})(ctx, server); err != nil {
			return err
		}
	}
	return overSocket(func(s *socket) error { return s.multiply(3) })(ctx, server)
}
