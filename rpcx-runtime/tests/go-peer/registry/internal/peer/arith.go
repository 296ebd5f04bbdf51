package peer

import (
	"context"
	"sync/atomic"
)

// Factors are what Mul multiplies.
type Factors struct{ A, B int }

// Product is what Mul returns.
type Product struct{ C int }

// Arith is the service; it counts its calls.
type Arith struct{ Calls atomic.Int64 }

// Mul multiplies.
func (a *Arith) Mul(_ context.Context, in *Factors, out *Product) error {
	a.Calls.Add(1)
	out.C = in.A * in.B
	return nil
}
