//go:build tools

// Package tools pins the Pulumi CLI: `go build` of the package below makes `pulumi` where its official archive cannot be downloaded.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
