package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	consul "github.com/rpcxio/rpcx-consul/client"
	etcd "github.com/rpcxio/rpcx-etcd/client"
	"github.com/smallnest/rpcx/client"

	"rpcx-go-registry/internal/peer"
)

// How often lists are looked at: not all of the discoveries tell about every change.
const glance = 20 * time.Millisecond

// How mDNS is watched: time for one look, and from look to look.
const (
	browse   = time.Second
	browsing = 2 * time.Second
)

// discover waits until there is a server.
func discover(o options) (client.ServiceDiscovery, error) {
	end := time.Now().Add(o.wait)
	for {
		found, err := newDiscovery(o)
		for err == nil && len(found.GetServices()) == 0 && time.Now().Before(end) {
			time.Sleep(glance)
		}
		if err == nil && len(found.GetServices()) > 0 {
			return found, nil
		}
		if !time.Now().Before(end) {
			return nil, errors.Join(errors.New("no server found"), err)
		}
		time.Sleep(10 * glance)
	}
}

func newDiscovery(o options) (client.ServiceDiscovery, error) {
	switch o.registry {
	case "etcd":
		return etcd.NewEtcdV3Discovery(o.base, o.service, o.servers("127.0.0.1:2379"), true, nil)
	case "consul":
		return consul.NewConsulDiscovery(o.base, o.service, o.servers("127.0.0.1:8500"), nil)
	case "mdns":
		return client.NewMDNSDiscovery(o.service, browse, browsing, "")
	}
	return nil, fmt.Errorf("unknown registry %q", o.registry)
}

func (o options) servers(usual string) []string {
	if o.endpoints == "" {
		return []string{usual}
	}
	return strings.Split(o.endpoints, ",")
}

// printServers prints the list, and goes on to print it at every change.
func printServers(found client.ServiceDiscovery) {
	last := list(found)
	peer.Event("servers", peer.Fields{"list": last})
	go func() {
		for range time.Tick(glance) {
			if now := list(found); !slices.Equal(now, last) {
				peer.Event("servers", peer.Fields{"list": now})
				last = now
			}
		}
	}()
}

// list is never nil: JSON would call that null.
func list(found client.ServiceDiscovery) []string {
	lines := []string{}
	for _, pair := range found.GetServices() {
		lines = append(lines, pair.Key+" ? "+pair.Value)
	}
	slices.Sort(lines)
	return lines
}
