package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// servantCommand is one of the small servers that `tend demo` looks after.
// They are real processes with the habits that real servers have.
func servantCommand() *cobra.Command {
	var port int
	cmd := &cobra.Command{
		Use:    "servant web|worker|flaky|stubborn|family|chatty|child",
		Short:  "Be one of the servers of the demo",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s := servant{out: cmd.OutOrStdout(), port: port}
			kinds := map[string]func(context.Context) error{
				"web": s.web, "worker": s.worker, "flaky": s.flaky,
				"stubborn": s.stubborn, "family": s.family, "chatty": s.chatty, "child": s.child,
			}
			be, ok := kinds[args[0]]
			if !ok {
				return usageError("there is no servant %q", args[0])
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return be(ctx)
		},
	}
	cmd.Flags().IntVar(&port, "port", 3031, "port of the web server")
	return cmd
}

type servant struct {
	out  io.Writer
	port int
}

func (s servant) say(format string, args ...any) {
	fmt.Fprintf(s.out, "%s "+format+"\n", append([]any{time.Now().Format("15:04:05.000")}, args...)...)
}

// every calls do at once and then in each interval, until ctx ends.
func every(ctx context.Context, interval time.Duration, do func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// web answers on its port.
func (s servant) web(ctx context.Context) error {
	srv := &http.Server{
		Addr:              fmt.Sprintf("127.0.0.1:%d", s.port),
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.say("%s %s", r.Method, r.URL.Path)
			fmt.Fprintf(w, "Hello from the demo's web server, pid %d.\n", os.Getpid())
		}),
	}
	end := context.AfterFunc(ctx, func() {
		bounded, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		srv.Shutdown(bounded) //nolint:errcheck // it ends either way
	})
	defer end()
	s.say("listening on http://%s", srv.Addr)
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	s.say("closed in order")
	return nil
}

// worker asks the web server for work.
func (s servant) worker(ctx context.Context) error {
	client := http.Client{Timeout: time.Second}
	jobs := 0
	every(ctx, 2*time.Second, func() {
		res, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/job/%d", s.port, jobs+1))
		if err != nil {
			s.say("\x1b[31mno work: %v\x1b[0m", err)
			return
		}
		res.Body.Close()
		jobs++
		s.say("job %d done: %s", jobs, res.Status)
	})
	s.say("stopped after %d jobs", jobs)
	return nil
}

// flaky crashes now and then.
func (s servant) flaky(ctx context.Context) error {
	life := 15*time.Second + rand.N(30*time.Second)
	s.say("up, but not for long")
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(life):
	}
	s.say("\x1b[31mfatal:\x1b[0m the disk of my imagination is full")
	os.Exit(1 + rand.N(3))
	return nil
}

// stubborn does not hear SIGTERM.
func (s servant) stubborn(context.Context) error {
	signal.Ignore(syscall.SIGTERM)
	for n := 1; ; n++ {
		s.say("still here, and no SIGTERM will change that (%d)", n)
		time.Sleep(10 * time.Second)
	}
}

// family has children, one of which leaves its session.
func (s servant) family(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for i := range 3 {
		child := exec.Command(self, "servant", "child")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: i == 2}
		if err := child.Start(); err != nil {
			return err
		}
		s.say("child %d has pid %d", i+1, child.Process.Pid)
	}
	<-ctx.Done()
	return nil
}

func (s servant) child(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// chatty writes a lot, in colours.
func (s servant) chatty(ctx context.Context) error {
	words := strings.Fields("request reply cache queue index token batch cursor shard lease quorum epoch")
	levels := []string{"\x1b[32minfo\x1b[0m ", "\x1b[32minfo\x1b[0m ", "\x1b[36mdebug\x1b[0m", "\x1b[33mwarn\x1b[0m "}
	every(ctx, 200*time.Millisecond, func() {
		s.say("%s %s %s in \x1b[1m%d\x1b[0m ms", levels[rand.N(len(levels))], words[rand.N(len(words))], words[rand.N(len(words))], rand.N(900))
	})
	return nil
}
