package api

import (
	"context"
	"iter"
)

// item is what an iterator yields.
type item[T any] struct {
	value T
	err   error
}

// pump runs an iterator in a goroutine, so that its reader can wait for other
// things as well and sees whether more is ready. The channel is closed at the
// end; stop ends the iterator and waits for it. begin is called at once.
func pump[T any](ctx context.Context, begin func(context.Context) iter.Seq2[T, error]) (items <-chan item[T], stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	seq := begin(ctx)
	out := make(chan item[T], 16)
	go func() {
		defer close(out)
		for value, err := range seq {
			select {
			case out <- item[T]{value, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, func() {
		cancel()
		for range out { // until the goroutine has ended
		}
	}
}
