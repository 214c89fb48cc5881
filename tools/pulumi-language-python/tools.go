//go:build tools

// Package tools pins the Python language host: v3.60.0 is the last line in which it was part of `sdk/v3`, and one
// go.mod cannot hold two versions of a module, so it has its own.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
