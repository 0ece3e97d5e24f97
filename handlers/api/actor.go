package api

import "context"

type actorKey struct{}

// WithActor notes who a request is from, for the record.
func WithActor(ctx context.Context, who string) context.Context {
	return context.WithValue(ctx, actorKey{}, who)
}

// Actor returns who a request is from, empty where nobody said it.
func Actor(ctx context.Context) string {
	who, _ := ctx.Value(actorKey{}).(string)
	return who
}
