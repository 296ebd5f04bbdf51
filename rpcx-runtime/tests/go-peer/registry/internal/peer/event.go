// Package peer is what both programs share: the service and the lines they print.
package peer

import (
	"encoding/json"
	"fmt"
	"log"
	"time"
)

// Fields are what an event says beyond its kind.
type Fields map[string]any

// Event prints a line of JSON with the time of day, UTC.
func Event(kind string, fields Fields) {
	line := Fields{"t": time.Now().UTC().Format("15:04:05.000"), "ev": kind}
	for key, value := range fields {
		line[key] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
}
