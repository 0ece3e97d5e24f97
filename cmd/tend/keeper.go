package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tend/services"
	"tend/services/remote"
	"tend/services/state"
)

// keeper knows users, tokens and sessions: a manager that runs, or the file of
// one that does not.
type keeper interface {
	Users(context.Context) ([]services.User, error)
	AddUser(ctx context.Context, u services.User, password string) error
	ChangeUser(ctx context.Context, name string, c services.UserChange) error
	RemoveUser(ctx context.Context, name string) error
	Tokens(context.Context) ([]services.Token, error)
	AddToken(ctx context.Context, t services.Token) (secret string, err error)
	RevokeToken(ctx context.Context, name string) error
	Sessions(context.Context) ([]services.Session, error)
	RevokeSession(ctx context.Context, id string) error
}

// keep calls do with the manager or, where none runs, with its file, which no
// manager takes up meanwhile.
func (g *globals) keep(ctx context.Context, do func(keeper) error) error {
	client, err := g.client()
	if err != nil {
		return err
	}
	_, err = client.Info(ctx)
	var nobody *remote.NoManager
	if !errors.As(err, &nobody) {
		if err != nil {
			return err
		}
		return do(client)
	}
	if err := os.MkdirAll(g.dir, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	lock, err := state.TakeLock(g.dir, lockTime)
	if err != nil {
		return err
	}
	defer lock.Release()
	file, damage := openAccess(g.dir, slog.New(slog.DiscardHandler))
	if damage != "" {
		return services.Errorf(services.Conflict, "%s", damage)
	}
	return do(file)
}

// newPassword reads a password: twice and unseen from a terminal, else the
// first line of what comes in. It is never an argument, which everybody on the
// machine could read.
func newPassword(cmd *cobra.Command) (string, error) {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 1<<16)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", services.Errorf(services.Invalid, "there is no password: write it into the standard input, as one line")
		}
		return line, nil
	}
	ask := func(question string) (string, error) {
		fmt.Fprint(cmd.ErrOrStderr(), question)
		text, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return string(text), nil
	}
	first, err := ask("password: ")
	if err != nil {
		return "", err
	}
	second, err := ask("again: ")
	if err == nil && first != second {
		err = services.Errorf(services.Invalid, "the two are not the same: try again")
	}
	return first, err
}

// roleArg reads a role.
func roleArg(text string) (services.Role, error) {
	for _, role := range services.Roles {
		if text == string(role) {
			return role, nil
		}
	}
	return "", usageError("%q is not a role: write viewer, operator or admin", text)
}

// sees is what somebody sees, in words.
func sees(servers []string) string {
	if len(servers) == 0 {
		return "all"
	}
	return strings.Join(servers, ", ")
}

// stamp is an instant for people, - for none.
func stamp(t services.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// printRows prints rows below a head.
func printRows(out io.Writer, head []string, rows [][]string) error {
	var t table
	for _, row := range append([][]string{head}, rows...) {
		t.row()
		for _, text := range row {
			t.cell(text, nil)
		}
	}
	return t.print(out)
}

// listCommand lists something, as a table or as JSON.
func listCommand[T any](g *globals, short string, head []string, list func(context.Context, keeper) ([]T, error), row func(T) []string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return g.keep(cmd.Context(), func(k keeper) error {
				all, err := list(cmd.Context(), k)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), all)
				}
				rows := make([][]string, len(all))
				for i, one := range all {
					rows[i] = row(one)
				}
				return printRows(cmd.OutOrStdout(), head, rows)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// endCommand ends something that has a name.
func endCommand(g *globals, use, short, done string, end func(context.Context, keeper, string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.keep(cmd.Context(), func(k keeper) error {
				if err := end(cmd.Context(), k, args[0]); err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), done+"\n", services.OneLine(args[0]))
				return nil
			})
		},
	}
}
