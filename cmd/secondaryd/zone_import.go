package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func (r *remote) zoneImport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Become a secondary of the zones in a file: CSV or JSON lines, - is standard input",
		Args:  oneArg,
	}
	given := r.zoneFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		account, err := r.needAccount()
		if err != nil {
			return err
		}
		var rows []importRow
		err = withInput(args[0], cmd.InOrStdin(), func(in io.Reader) (err error) {
			rows, err = readImport(in)
			return err
		})
		if err != nil {
			return err
		}
		c, err := r.client()
		if err != nil {
			return err
		}
		defer c.Close()
		ctx, stop := interruptible(cmd)
		defer stop()
		zones, err := importedZones(ctx, c, account, rows, given)
		if err != nil {
			return err
		}
		work := &bulkWork{client: c, show: newProgress(cmd.ErrOrStderr()), zones: zones}
		return work.finish(ctx, r, cmd.OutOrStdout())
	}
	return cmd
}

// importedZones makes what is to be created of the rows. Zones that are there are
// left as they are, so that an import may be given again.
func importedZones(ctx context.Context, c *apiclient.Client, account string, rows []importRow, given *zoneFlags) ([]*bulkZone, error) {
	there, err := zonesByName(ctx, c, account)
	if err != nil {
		return nil, err
	}
	names, err := c.Names(ctx, apiclient.Peers, account)
	if err != nil {
		return nil, err
	}
	peers := peerBook(names)
	zones, problems := make([]*bulkZone, len(rows)), []error(nil)
	for i, row := range rows {
		zones[i] = &bulkZone{Line: row.line, Name: row.name, account: account}
		if zone, ok := there[apiclient.FoldName(row.name)]; ok {
			zones[i].ID, row.id = zone.ID, zone.ID
			if zone.Status != apiclient.Unconfigured {
				zones[i].Result = outcomeThere
				continue
			}
		}
		if zones[i].create, err = row.object(peers, given); err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", row.line, err))
		}
		if len(problems) == maxProblems {
			break
		}
	}
	return zones, errors.Join(problems...)
}

// zonesByName lists the zones of an account.
func zonesByName(ctx context.Context, c *apiclient.Client, account string) (map[string]apiclient.Zone, error) {
	list, err := c.ListZones(ctx, "", account)
	if err != nil {
		return nil, err
	}
	zones := make(map[string]apiclient.Zone, len(list))
	for _, zone := range list {
		zones[apiclient.FoldName(zone.Name)] = zone
	}
	return zones, nil
}

// object is what the API is to create: the row, and for what it leaves open the
// command line.
func (row importRow) object(peers map[string][]string, given *zoneFlags) (apiclient.Object, error) {
	object := apiclient.Object{}
	refs := row.peers
	if refs == nil {
		refs = given.peers
	}
	if len(refs) == 0 {
		return nil, misuse("from which primary is %s? Name peers in the file, or give --peer", row.name)
	}
	ids := make([]string, len(refs))
	for i, ref := range refs {
		var err error
		if ids[i], err = peerOf(peers, ref); err != nil {
			return nil, err
		}
	}
	if err := given.fill(object, ids); err != nil {
		return nil, err
	}
	set := allMembers(object)
	set.value("name", "name", row.name)
	set.value("peer", "peers", ids)
	if row.refresh != 0 {
		set.value("refresh", "auto_refresh_seconds", row.refresh)
	}
	if row.id != "" {
		set.value("id", "id", row.id)
	}
	return object, set.err
}

// peerBook gives the ids of the peers that have a name, and that of an id itself.
func peerBook(names map[string]string) map[string][]string {
	book := make(map[string][]string, 2*len(names))
	for id, name := range names {
		if name != id {
			book[name] = append(book[name], id)
		}
	}
	for id := range names {
		book[id] = []string{id} // which goes before a name
	}
	return book
}

func peerOf(book map[string][]string, ref string) (string, error) {
	switch ids := book[ref]; len(ids) {
	case 0:
		return "", &apiclient.NotFoundError{Kind: "peer", Name: ref}
	case 1:
		return ids[0], nil
	default:
		return "", &apiclient.AmbiguousError{Kind: "peer", Name: ref, Candidates: ids}
	}
}
