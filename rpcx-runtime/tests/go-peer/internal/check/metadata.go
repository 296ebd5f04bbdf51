package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/smallnest/rpcx/protocol"
	"github.com/smallnest/rpcx/share"

	"rpcx-go-peer/internal/arith"
)

func metadataChecks() []Check {
	many := map[string]string{
		"":       "under the empty key",
		"ключ":   "значение ✓",
		"empty":  "",
		"lines":  "one\ntwo\x00three",
		"long":   strings.Repeat("0123456789", 1000),
		"Case":   "upper",
		"case":   "lower",
		" space": " kept ",
	}
	for i := range 190 {
		many[fmt.Sprintf("key %d", i)] = fmt.Sprintf("value %d", i)
	}
	return []Check{
		{Name: "metadata/none", run: overClient(roundTrip(nil))},
		{Name: "metadata/one", run: overClient(roundTrip(map[string]string{"trace": "1f"}))},
		{Name: "metadata/empty-key", run: overClient(roundTrip(map[string]string{"": "x"}))},
		{Name: "metadata/empty-value", run: overClient(roundTrip(map[string]string{"x": ""}))},
		{Name: "metadata/many", run: overClient(roundTrip(many))},
		{Name: "metadata/many-json", run: overClientWith(json, plain, roundTrip(many))},
		{Name: "metadata/of-requests-stays-there", run: overClient(notCopied)},
		{Name: "metadata/of-errors", run: overClient(onErrors)},
	}
}

// roundTrip checks what the service saw of the metadata, and what it sent back as metadata.
func roundTrip(sent map[string]string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		var seen arith.Labels
		received, err := s.callWith(ctx, sent, "Meta", &arith.Nothing{}, &seen)
		if err != nil {
			return err
		}
		// The token is metadata too, but whether a service may see it is for the server to say.
		delete(seen.Meta, share.AuthKey)
		delete(received, "echo-"+share.AuthKey)
		echoes := map[string]string{}
		for key, value := range sent {
			echoes["echo-"+key] = value
		}
		if err := sameMetadata(seen.Meta, sent); err != nil {
			return fmt.Errorf("seen by the service: %w", err)
		}
		if err := sameMetadata(received, echoes); err != nil {
			return fmt.Errorf("of the response: %w", err)
		}
		return nil
	}
}

func sameMetadata(got, want map[string]string) error {
	for key, value := range want {
		if other, ok := got[key]; !ok || other != value {
			return fmt.Errorf("key %q has %.100q (present: %t), expected %.100q", key, other, ok, value)
		}
	}
	for key, value := range got {
		if _, ok := want[key]; !ok {
			return fmt.Errorf("unexpected key %q with %.100q", key, value)
		}
	}
	return nil
}

func notCopied(ctx context.Context, s *session) error {
	received, err := s.callWith(ctx, map[string]string{"private": "x"}, "Mul", &arith.Operands{}, new(arith.Number))
	if err != nil {
		return err
	}
	return sameMetadata(received, nil)
}

func onErrors(ctx context.Context, s *session) error {
	for _, text := range []string{"refused", ""} {
		received, err := s.callWith(ctx, map[string]string{"private": "x"}, "Error", &arith.Text{Msg: text}, new(arith.Number))
		if _, err := serviceError(err); err != nil {
			return err
		}
		if err := sameMetadata(received, map[string]string{protocol.ServiceError: text}); err != nil {
			return err
		}
	}
	return nil
}
