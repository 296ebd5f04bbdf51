package main

import (
	"fmt"

	metrics "github.com/rcrowley/go-metrics"
	consul "github.com/rpcxio/rpcx-consul/serverplugin"
	etcd "github.com/rpcxio/rpcx-etcd/serverplugin"
	"github.com/smallnest/rpcx/serverplugin"
)

// registry is what the plugins have in common.
type registry interface {
	Start() error
	Stop() error
}

// newRegistry makes the plugin that o names; nil for none.
func newRegistry(o options, self string) (registry, error) {
	figures := metrics.NewRegistry()
	switch o.registry {
	case "none":
		return nil, nil
	case "etcd":
		return &etcd.EtcdV3RegisterPlugin{
			ServiceAddress: self,
			EtcdServers:    o.servers("127.0.0.1:2379"),
			BasePath:       o.base,
			Metrics:        figures,
			UpdateInterval: o.interval,
		}, nil
	case "consul":
		return &consul.ConsulRegisterPlugin{
			ServiceAddress: self,
			ConsulServers:  o.servers("127.0.0.1:8500"),
			BasePath:       o.base,
			Metrics:        figures,
			UpdateInterval: o.interval,
		}, nil
	case "mdns":
		// The plugin takes the port from the address.
		return serverplugin.NewMDNSRegisterPlugin(self, 0, figures, o.interval, ""), nil
	}
	return nil, fmt.Errorf("unknown registry %q", o.registry)
}
