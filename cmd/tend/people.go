package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tend/services"
)

func usersCommand(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use: "users", Short: "Show, add and change those who sign in with a password",
		Long: `Show, add and change those who sign in with a password. It works with a manager that runs, and without.

A viewer looks, an operator acts on servers and reloads the configuration, an admin does everything. Whoever runs tend needs no user: see tend open.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		listCommand(g, "Show every user", []string{"NAME", "ROLE", "SEES", "ADDED"},
			func(ctx context.Context, k keeper) ([]services.User, error) { return k.Users(ctx) },
			func(u services.User) []string {
				return []string{u.Name, string(u.Role), sees(u.Servers), stamp(u.Added)}
			}),
		addUserCommand(g), passwdCommand(g), roleCommand(g),
		endCommand(g, "remove NAME", "Remove a user and end what was begun as that one", "%s was removed",
			func(ctx context.Context, k keeper, name string) error { return k.RemoveUser(ctx, name) }),
	)
	return cmd
}

func addUserCommand(g *globals) *cobra.Command {
	var role string
	var servers []string
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Add a user; the password is asked for, or read from the standard input",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := roleArg(role)
			if err != nil {
				return err
			}
			password, err := newPassword(cmd)
			if err != nil {
				return err
			}
			return g.keep(cmd.Context(), func(k keeper) error {
				if err := k.AddUser(cmd.Context(), services.User{Name: args[0], Role: r, Servers: servers}, password); err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "%s was added as %s\n", services.OneLine(args[0]), r)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "viewer", "viewer, operator or admin")
	cmd.Flags().StringSliceVar(&servers, "server", nil, "only this server is seen; may be repeated")
	return cmd
}

func passwdCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "passwd NAME", Short: "Give a user another password, and sign that one out everywhere",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := newPassword(cmd)
			if err != nil {
				return err
			}
			return g.keep(cmd.Context(), func(k keeper) error {
				if err := k.ChangeUser(cmd.Context(), args[0], services.UserChange{Password: &password}); err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "%s has another password\n", services.OneLine(args[0]))
				return nil
			})
		},
	}
}

func roleCommand(g *globals) *cobra.Command {
	var servers []string
	cmd := &cobra.Command{
		Use: "role NAME viewer|operator|admin", Short: "Change what a user may do and see",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			role, err := roleArg(args[1])
			if err != nil {
				return err
			}
			return g.keep(cmd.Context(), func(k keeper) error {
				change := services.UserChange{Role: &role}
				if cmd.Flags().Changed("server") {
					change.Servers = &servers
				}
				if err := k.ChangeUser(cmd.Context(), args[0], change); err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "%s is %s now\n", services.OneLine(args[0]), role)
				return nil
			})
		},
	}
	cmd.Flags().StringSliceVar(&servers, "server", nil, "only this server is seen; may be repeated; \"\" for all (without it: as before)")
	return cmd
}

func tokensCommand(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use: "tokens", Short: "Show, make and revoke what programs come in by",
		Long: `Show, make and revoke what programs come in by: Authorization: Bearer tend_… It works with a manager that runs, and without.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		listCommand(g, "Show every token, never its secret", []string{"NAME", "ROLE", "SEES", "EXPIRES", "USED"},
			func(ctx context.Context, k keeper) ([]services.Token, error) { return k.Tokens(ctx) },
			func(t services.Token) []string {
				return []string{t.Name, string(t.Role), sees(t.Servers), stamp(t.Expires), stamp(t.Used)}
			}),
		addTokenCommand(g),
		endCommand(g, "revoke NAME", "Revoke a token and end what was begun with it", "%s was revoked",
			func(ctx context.Context, k keeper, name string) error { return k.RevokeToken(ctx, name) }),
	)
	return cmd
}

func addTokenCommand(g *globals) *cobra.Command {
	var role, expires string
	var servers []string
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Make a token and print it, this once",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := roleArg(role)
			if err != nil {
				return err
			}
			end, err := services.ParseEnd(expires, time.Now())
			if err != nil {
				return usageError("--expires wants %v, not %q", err, expires)
			}
			return g.keep(cmd.Context(), func(k keeper) error {
				secret, err := k.AddToken(cmd.Context(), services.Token{Name: args[0], Role: r, Servers: servers, Expires: services.Time{Time: end}})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), secret)
				fmt.Fprintf(cmd.ErrOrStderr(), "keep it: it is not shown again. It is %s until %s\n", r, stamp(services.Time{Time: end}))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "viewer", "viewer, operator or admin")
	cmd.Flags().StringVar(&expires, "expires", "30d", "when it ends: in a `time` such as 30d or 12h, or at an instant")
	cmd.Flags().StringSliceVar(&servers, "server", nil, "only this server is seen; may be repeated")
	return cmd
}

func sessionsCommand(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use: "sessions", Short: "Show and end the sessions of browsers", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		listCommand(g, "Show every browser that is signed in", []string{"ID", "USER", "ROLE", "FROM", "BEGAN", "SEEN"},
			func(ctx context.Context, k keeper) ([]services.Session, error) { return k.Sessions(ctx) },
			func(s services.Session) []string {
				return []string{s.ID, s.User, string(s.Role), s.From, stamp(s.Began), stamp(s.Seen)}
			}),
		endCommand(g, "revoke ID", "End a session", "%s has ended",
			func(ctx context.Context, k keeper, id string) error { return k.RevokeSession(ctx, id) }),
	)
	return cmd
}
