package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tend/services"
	"tend/services/remote"
)

func reloadCommand(g *globals) *cobra.Command {
	var dry, yes, asJSON bool
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Read the configuration again, and change what it changes",
		Long: `Read the configuration again: show which servers are added, removed, restarted and changed without a restart, and why; then do that.

In a terminal it asks first where something is stopped or restarted. A file with problems changes nothing, and the exit code is 1, as of tend check. A plan that has changed since it was shown is not carried out.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			plan, err := client.Reload(cmd.Context(), true, "")
			if err != nil {
				return badFile(err)
			}
			out := cmd.OutOrStdout()
			if !asJSON {
				printPlan(out, plan)
			}
			asks := !dry && !yes && len(plan.Remove)+len(plan.Restart) > 0 && terminal(cmd.InOrStdin()) && terminal(out)
			switch {
			case dry || plan.Empty():
			case asks && !confirmed(cmd.InOrStdin(), ask(out, "go on? ")):
				return services.Errorf(services.Conflict, "nothing was changed")
			default:
				if plan, err = client.Reload(cmd.Context(), false, plan.ID); err != nil {
					return badFile(err)
				}
				if !asJSON {
					fmt.Fprintln(out, "done")
				}
			}
			if asJSON {
				return printJSON(out, plan)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only show what would change")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the plan as JSON")
	return cmd
}

// badFile has a file with problems end as it does in tend check: the command
// line, which Invalid stands for elsewhere, was right.
func badFile(err error) error {
	if services.KindOf(err) == services.Invalid {
		return errors.New(err.Error())
	}
	return err
}

// printPlan shows a plan, a line for each server and each reason.
func printPlan(out io.Writer, plan remote.Plan) {
	for _, part := range []struct {
		word string
		list []services.Change
	}{{"add", plan.Add}, {"remove", plan.Remove}, {"restart", plan.Restart}, {"change", plan.Update}} {
		for _, c := range part.list {
			fmt.Fprintf(out, "%-8s %s\n", part.word, c.Server)
			for _, reason := range c.Reasons {
				fmt.Fprintf(out, "         %s\n", services.OneLine(reason))
			}
		}
	}
	for _, note := range plan.Also {
		fmt.Fprintf(out, "change   %s\n", note)
	}
	for _, note := range plan.Later {
		fmt.Fprintf(out, "later    %s\n", note)
	}
	if n := len(plan.Unchanged); plan.Empty() {
		fmt.Fprintf(out, "nothing changes (%d servers)\n", n)
	} else if n > 0 {
		fmt.Fprintf(out, "%d unchanged\n", n)
	}
}

// ask writes a question and returns where the answer is waited for.
func ask(out io.Writer, question string) io.Writer {
	fmt.Fprint(out, question)
	return out
}

// confirmed asks whether to go on.
func confirmed(in io.Reader, out io.Writer) bool {
	fmt.Fprint(out, "[y/N] ")
	line, _ := bufio.NewReader(in).ReadString('\n') //nolint:errcheck // no answer is no
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}
