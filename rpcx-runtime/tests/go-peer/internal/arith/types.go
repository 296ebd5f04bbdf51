// Package arith is the service that both programs know: its types, and the Go side that serves it.
package arith

// Operands are two numbers to compute with.
type Operands struct{ A, B int }

// Number is one number, usually a result.
type Number struct{ C int }

// Text carries the message of Error and Panic.
type Text struct{ Msg string }

// Pause is how long Sleep waits, in milliseconds.
type Pause struct{ Ms int }

// Nothing is the argument of a method that needs none.
type Nothing struct{}

// Labels is what Meta saw of the request's metadata.
type Labels struct{ Meta map[string]string }
