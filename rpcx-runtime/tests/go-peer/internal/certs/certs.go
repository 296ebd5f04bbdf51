// Package certs reads certificates from PEM files.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// Files are paths of PEM files; an empty one stands for none.
type Files struct {
	// Authorities are whom to trust.
	Authorities string
	// Certificate and Key are what this side shows.
	Certificate, Key string
}

// Client returns what a client needs; nil if there are no authorities: then it speaks no TLS.
func (f Files) Client() (*tls.Config, error) {
	if f.Authorities == "" {
		return nil, nil
	}
	config := &tls.Config{}
	var err error
	if config.RootCAs, err = f.pool(); err != nil {
		return nil, err
	}
	return config, f.show(config)
}

// Server returns what a server needs; nil if there is no certificate: then it speaks no TLS. With authorities it
// lets only clients in that show a certificate of theirs.
func (f Files) Server() (*tls.Config, error) {
	if f.Certificate == "" {
		return nil, nil
	}
	config := &tls.Config{}
	if f.Authorities != "" {
		var err error
		if config.ClientCAs, err = f.pool(); err != nil {
			return nil, err
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, f.show(config)
}

func (f Files) pool() (*x509.CertPool, error) {
	pem, err := os.ReadFile(f.Authorities)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", f.Authorities)
	}
	return pool, nil
}

func (f Files) show(config *tls.Config) error {
	if f.Certificate == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(f.Certificate, f.Key)
	config.Certificates = []tls.Certificate{pair}
	return err
}
