package main

import (
	"context"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func aclCommand() *cobra.Command {
	r := new(remote)
	acls := &objects[apiclient.ACL]{
		kind: apiclient.ACLs, remote: r,
		head: []string{"NAME", "RANGE", "ID"},
		row:  func(a apiclient.ACL) []string { return []string{a.Name, a.Range, a.ID} },
	}
	return managed("acl", "Manage the ACLs: who may send NOTIFY beside the peers", r,
		acls.list(), acls.show(), acls.add(aclFlags), acls.set(aclFlags), acls.remove())
}

func aclFlags(cmd *cobra.Command) fill {
	ipRange := cmd.Flags().String("range", "", "`CIDR` of the addresses, at most a /24 of IPv4 or a /64 of IPv6")
	return func(_ context.Context, _ *apiclient.Client, _ string, object apiclient.Object) error {
		if cmd.Flags().Changed("range") {
			return object.Set("ip_range", *ipRange)
		}
		return nil
	}
}
