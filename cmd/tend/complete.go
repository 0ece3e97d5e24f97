package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// completeTime bounds how long a shell waits for names.
const completeTime = time.Second

// names completes the names of servers that were not given yet.
func (g *globals) names(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	client, err := g.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTime)
	defer cancel()
	list, err := client.List(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, s := range list {
		if !slices.Contains(given, s.Name) {
			out = append(out, s.Name+"\t"+stateWord(s))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// oneName completes the name of one server.
func (g *globals) oneName(cmd *cobra.Command, given []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return g.names(cmd, given, begun)
}
