package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// The main thread reaps, as in the real program.
func init() { runtime.LockOSThread() }

// TestMain makes the test binary play servers and managers as well:
// `process.test be ROLE ...`.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "be" && os.Args[2] != "manager" {
		os.Exit(be(os.Args[2], os.Args[3:]))
	}
	Prepare()
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() {
		defer cancel()
		if len(os.Args) > 2 && os.Args[1] == "be" {
			code <- manager(os.Args[3:])
			return
		}
		code <- m.Run()
	}()
	ReapForever(ctx)
	os.Exit(<-code)
}

// be plays one server.
func be(role string, args []string) int {
	switch role {
	case "listening":
		return listening()
	case "obedient":
		term := make(chan os.Signal, 1)
		signal.Notify(term, syscall.SIGTERM)
		fmt.Println("ready")
		select {
		case <-term:
			return 7
		case <-time.After(time.Minute):
		}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		return idle()
	case "idle":
		return idle()
	case "crash":
		return 3
	case "talkative": // says so many things, and ends
		return talk(args[0], 3)
	case "inside":
		return inside()
	case "ancestor": // a child, one that left the session, one whose parent is gone
		spawnSelf(false, "idle")
		spawnSelf(true, "idle")
		spawnSelf(true, "between").Wait()
		fmt.Println("ready")
		return idle()
	case "between":
		spawnSelf(true, "idle")
	case "daemon": // leaves at once, its child makes a session a moment later
		spawnSelf(false, "daemon-child")
	case "daemon-child":
		runtime.Gosched()
		unix.Setsid()
		return idle()
	case "forking": // children come and go while it is being ended
		for range 200 {
			spawnSelf(true, "idle")
		}
		return idle()
	case "leaver": // crashes, and leaves a child behind
		spawnSelf(true, "stubborn")
		return 1
	case "careless": // the kernel reaps its children at once
		signal.Ignore(syscall.SIGCHLD)
		return parent(args[0])
	case "negligent": // nobody reaps its children
		return parent(args[0])
	case "headless": // its main thread may leave before the others
		leave, term := make(chan os.Signal, 1), make(chan os.Signal, 1)
		signal.Notify(leave, syscall.SIGUSR1)
		signal.Notify(term, syscall.SIGTERM)
		go func() {
			<-term
			os.Exit(7)
		}()
		fmt.Println("ready")
		<-leave
		syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
	case "burn": // until it has used a second of the processor, and rests
		burn(time.Second)
		fmt.Println("burnt")
		return idle()
	case "burner": // has a child that burns, buries it and rests
		spawnSelf(false, "burn-out").Wait()
		fmt.Println("burnt")
		return idle()
	case "abandoned": // has a grandchild that burns, whom others bury
		spawnSelf(true, "burn-apart").Wait()
		return idle()
	case "burn-apart":
		spawnSelf(false, "burn-out")
		burn(200 * time.Millisecond)
	case "burn-out":
		burn(time.Second)
	case "files": // holds a hundred files and 64 MB
		return hold(100, 64<<20)
	case "family": // three children
		for range 3 {
			spawnSelf(false, "idle")
		}
		fmt.Println("ready")
		return idle()
	case "write": // to the storage
		return store(args[0], 8<<20)
	case "listen":
		_, err := openConnector()
		fmt.Print(err)
	case "flood":
		line := strings.Repeat("x", 119) + "\n"
		for range 10000 {
			os.Stdout.WriteString(line)
		}
	default:
		fmt.Fprintln(os.Stderr, "no such role:", role)
		return 64
	}
	return 0
}

// burn keeps the processor busy until this process has used so much of it.
func burn(much time.Duration) {
	for {
		var used unix.Rusage
		unix.Getrusage(unix.RUSAGE_SELF, &used)
		if time.Duration(used.Utime.Nano()+used.Stime.Nano()) >= much {
			return
		}
	}
}

func hold(files, bytes int) int {
	var held []*os.File
	for range files {
		file, err := os.Open("/")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		held = append(held, file)
	}
	memory := make([]byte, bytes)
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	fmt.Println("ready")
	code := idle()
	runtime.KeepAlive(held)
	runtime.KeepAlive(memory)
	return code
}

// talk says so many things by sd_notify.
func talk(times string, code int) int {
	count, err := strconv.Atoi(times)
	c, dialErr := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err = errors.Join(err, dialErr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for i := range count {
		if _, err := fmt.Fprintf(c, "STATUS=%d", i); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

func store(path string, bytes int) int {
	file, err := os.Create(path)
	if err == nil {
		_, err = file.Write(make([]byte, bytes))
	}
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("ready")
	return idle()
}

func idle() int {
	<-time.After(time.Minute) // a test may forget it
	return 0
}

// parent starts a server and tells its pid.
func parent(role string) int {
	cmd := exec.Command(os.Args[0], "be", role)
	cmd.Stdout = os.Stdout
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(cmd.Process.Pid)
	return idle()
}

func spawnSelf(setsid bool, role string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "be", role)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: setsid}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return cmd
}

// listening listens on a port, tells the inode of its socket, and waits.
func listening() int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = unix.Listen(fd, 1)
	}
	var s unix.Stat_t
	if err == nil {
		err = unix.Fstat(fd, &s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.Ino)
	for {
		unix.Pause()
	}
}

// view is what a server sees of itself.
type view struct {
	Ignored, Blocked string
	FDs              []string
	Umask            int
	NoFile, Data     uint64
	Nice             int
	UID, GID         int
	Groups           []int
	Env              []string
	Dir              string
	Leads            bool // its session
}

func inside() int {
	status := statusOf("self")
	v := view{Ignored: status["SigIgn"], Blocked: status["SigBlk"], UID: os.Getuid(), GID: os.Getgid(), Env: os.Environ()}
	v.Umask = unix.Umask(0)
	v.Groups, _ = os.Getgroups()
	v.Dir, _ = os.Getwd()
	sid, _ := unix.Getsid(0)
	v.Leads = sid == os.Getpid()
	var limit unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	v.NoFile = limit.Max
	unix.Getrlimit(unix.RLIMIT_DATA, &limit)
	v.Data = limit.Max
	priority, _ := unix.Getpriority(unix.PRIO_PROCESS, 0)
	v.Nice = 20 - priority
	for fd := range 256 { // what is open, but for what this program itself opened
		if target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil && !strings.HasPrefix(target, "anon_inode:") && !strings.HasPrefix(target, "/sys/fs/cgroup/") {
			v.FDs = append(v.FDs, target)
		}
	}
	json.NewEncoder(os.Stdout).Encode(v)
	return 0
}

// manager starts one run, tells its record, and waits to be killed.
func manager(args []string) int {
	h, err := New(Options{Instance: args[0], Without: Without{Cgroup: args[1] == "true"}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	ctx := context.Background()
	go h.Run(ctx)
	var spec Spec
	if err := json.Unmarshal([]byte(args[2]), &spec.Server); err != nil {
		fmt.Println(err)
		return 1
	}
	spec.ID, spec.Log = args[3], os.Stderr
	p, err := h.Start(spec)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for {
		text, _ := json.Marshal(p.Run())
		fmt.Printf("%s\n", text)
		select {
		case <-p.Changed():
		case <-time.After(time.Minute):
			return 0
		}
	}
}

// bench is a host for one test, with servers that write into a file.
type bench struct {
	*Host
	t   testing.TB
	log string
}

// salted keeps an instance apart from that of an earlier run of the tests.
func salted(instance string) string { return fmt.Sprintf("%s-%d", instance, os.Getpid()) }

func open(t testing.TB, instance string, without Without) *bench {
	t.Helper()
	instance = salted(instance)
	h, err := New(Options{Instance: instance, Without: without, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if h.cgroups == nil && !without.Cgroup {
		t.Skip("no cgroup v2 can be made here")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		for _, p := range h.all() {
			p.Kill()
			<-p.Gone()
		}
		cancel()
		<-done
	})
	return &bench{h, t, filepath.Join(t.TempDir(), "log")}
}

// eachTier runs a test with the cgroup tier and without it.
func eachTier(t *testing.T, test func(t *testing.T, without Without)) {
	t.Run("cgroup", func(t *testing.T) { test(t, Without{}) })
	t.Run("no cgroup", func(t *testing.T) { test(t, Without{Cgroup: true}) })
}

func self(role string, args ...string) services.Server {
	return services.Server{Name: "a", Command: services.Command{Argv: append([]string{os.Args[0], "be", role}, args...)}, Dir: "/", Umask: -1}
}

var runs = 0

func (b *bench) start(s services.Server) *Process {
	b.t.Helper()
	p, err := b.try(s)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *bench) try(s services.Server) (*Process, error) {
	out, err := os.OpenFile(b.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		b.t.Fatal(err)
	}
	defer out.Close()
	runs++
	return b.Start(Spec{ID: fmt.Sprintf("run%d", runs), Server: s, Log: out})
}

// until waits for a condition of the outside world, which sends no events.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-limit:
			t.Fatalf("%s: not within 10 s", what)
		case <-tick.C:
		}
	}
}

func (b *bench) says(text string) {
	b.t.Helper()
	until(b.t, "the server says "+text, func() bool {
		got, _ := os.ReadFile(b.log)
		return strings.Contains(string(got), text)
	})
}

func wait(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: not within 10 s", what)
	}
}

// orphan starts a run under a manager of its own and kills that manager.
func orphan(t *testing.T, instance string, without Without, s services.Server, ready func(services.Run) bool) services.Run {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	runs++
	cmd := exec.Command(os.Args[0], "be", "manager", salted(instance), fmt.Sprint(without.Cgroup), string(text), fmt.Sprintf("run%d", runs))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(out)
	var run services.Run
	for lines.Scan() {
		if err := json.Unmarshal(lines.Bytes(), &run); err != nil {
			t.Fatalf("the manager said %q", lines.Text())
		}
		if ready(run) {
			return run
		}
	}
	t.Fatal("the manager ended")
	return run
}

func anyRun(services.Run) bool { return true }
