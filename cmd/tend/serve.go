package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tend/handlers"
	"tend/handlers/hub"
	"tend/handlers/metrics"
	"tend/services"
	"tend/services/access"
	"tend/services/alerts"
	"tend/services/certs"
	"tend/services/config"
	"tend/services/failpoint"
	"tend/services/history"
	"tend/services/logs"
	"tend/services/monitor"
	"tend/services/orchestrator"
	"tend/services/process"
	"tend/services/remote"
	"tend/services/secrets"
	"tend/services/state"
)

// lockTime is how long a new manager waits for the data directory's lock: a
// child that its predecessor had forked but not yet exec'ed holds it so long.
const lockTime = 2 * time.Second

// serveOptions is what the command line adds to the configuration.
type serveOptions struct {
	listen  string // wins over the configuration
	data    bool   // --data was given, which wins over the configuration
	without string // kernel mechanisms not to use
	demo    bool
	ready   func(address string) // called when the dashboard answers; nil for nobody
}

func serveCommand(g *globals) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the manager in the foreground",
		Long: `Run the manager: take back what an earlier one has left running, start what is to run, and serve the dashboard.

Ctrl-C and SIGTERM stop all servers in order, a second one kills them. After kill -9, or tend shutdown --keep, the servers run on and the next tend serve takes them back.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer thrift()() // to read the configuration of a thousand servers is work, too
			cfg, err := g.load()
			if err != nil {
				return err
			}
			o.data = g.data != ""
			_, err = serve(cmd.Context(), cfg, o, cmd.ErrOrStderr())
			return err
		},
	}
	cmd.Flags().StringVar(&o.listen, "listen", "", "address of the dashboard (default from the configuration)")
	cmd.Flags().StringVar(&o.without, "without", "", "kernel mechanisms not to use: cgroup, exit-info, connector")
	cmd.Flags().Lookup("without").Hidden = true
	return cmd
}

// manager is everything that one `tend serve` joins.
type manager struct {
	cfg     *config.Config
	given   serveOptions
	log     *slog.Logger
	lock    *state.Lock
	store   *state.Store
	access  *access.Access
	bus     discreetBus
	secrets *secrets.Keeper
	logs    *logs.Store
	past    *history.Store
	alerts  *alerts.Alerts
	recipes *recipes
	host    *process.Host
	watch   *monitor.Monitor
	probe   *monitor.Prober
	orch    *orchestrator.Orchestrator
	web     *http.Server
	hub     *hub.Hub
	push    *handlers.Pusher
	recent  *handlers.Recent
	sampler *monitor.Sampler
	metrics *metrics.Metrics
	doors   []*crowd // tcp and socket
	tcp     *net.TCPListener
	socket  *remote.Socket
	certs   *certs.Keeper // nil for plain HTTP
	born    uint64        // the position before the first event

	asked     chan wish            // an order to end
	essential chan *essentialEnded // the server that everything is about has ended
	ending    chan struct{}        // closed when streams have to end

	mu         sync.Mutex // guards what follows
	alertRules []services.AlertRule
}

// address is where the dashboard listens.
func (m *manager) address() string { return m.tcp.Addr().String() }

// serve runs a manager until it is asked to end, and says whether servers run
// on, or may do so after an error.
func serve(ctx context.Context, cfg *config.Config, o serveOptions, stderr io.Writer) (kept bool, err error) {
	process.Prepare()
	spareThreads()
	notify := os.Getenv("NOTIFY_SOCKET")
	given := inherited()
	m, err := newManager(ctx, cfg, o, given, stderr)
	given.settle()
	if err != nil {
		return false, err
	}
	defer m.lock.Release()
	// Whoever reads what we log may end before us; without this a write kills.
	signal.Notify(make(chan os.Signal), syscall.SIGPIPE)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR2)
	defer signal.Stop(signals)
	return m.run(ctx, signals, notify)
}

// newManager joins the services. Whatever can be refused is refused before
// anything has been started.
func newManager(ctx context.Context, cfg *config.Config, o serveOptions, given *estate, stderr io.Writer) (_ *manager, err error) {
	m := &manager{cfg: cfg, given: o, alertRules: cfg.Alerts, asked: make(chan wish, 2), essential: make(chan *essentialEnded, 1), ending: make(chan struct{})}
	m.keepSecrets()
	m.log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{ReplaceAttr: m.secrets.Attr}))
	without, err := parseWithout(o.without)
	if err != nil {
		return nil, err
	}
	if o.listen != "" {
		if err := config.CheckListen(o.listen); err != nil {
			return nil, usageError("--listen %v", err)
		}
		cfg.Listen = o.listen
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, services.Errorf(services.Unavailable, "the data directory cannot be made (%v): make %s yourself, or name another with data: or --data", err, cfg.Data)
	}
	var kept bool
	if m.lock, kept = given.lock(cfg.Data); !kept {
		if m.lock, err = state.TakeLock(cfg.Data, lockTime); err != nil {
			if services.KindOf(err) == services.Conflict && !o.demo { // demo has advice of its own
				err = fmt.Errorf("%w; end a manager that runs with `tend shutdown`, or choose another directory with --data DIR", err)
			}
			return nil, err
		}
	}
	failpoint.At("adopt-locked")
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	m.born = m.bus.Last()
	store, loaded, err := state.Open(cfg.Data, state.Options{Report: m.bus.Publish, Log: m.log})
	if err != nil {
		return nil, err
	}
	m.store = store
	if loaded.Damage != "" {
		m.log.Warn(loaded.Damage)
		m.bus.Publish(services.Event{Kind: services.EventState, Message: loaded.Damage})
	}
	if err := m.openAccess(); err != nil {
		return nil, err
	}
	if m.host, err = process.New(process.Options{Instance: loaded.Instance, Without: without, Hide: m.secrets.Hide, Secrets: m.secrets.Values, Log: m.log}); err != nil {
		return nil, err
	}
	m.learnSecrets(loaded.Records)
	if err := m.openCerts(); err != nil {
		return nil, err
	}
	if err := m.openDoors(given); err != nil {
		return nil, err
	}
	if m.logs, err = logs.Open(logs.Options{Dir: filepath.Join(cfg.Data, "logs"), Hide: m.secrets.HideBytes, Report: m.bus.Publish, Log: m.log}); err != nil {
		return nil, err
	}
	if err := m.openHistory(); err != nil {
		return nil, err
	}
	m.recent = handlers.NewRecent()
	m.watch = monitor.New(monitor.Options{
		Interval: cfg.Monitor.Interval, Holder: m.host.Holder, Eyes: m.eyes(), Log: m.log,
		Targets: func(out []monitor.Target) []monitor.Target { return m.orch.Targets(out) },
		Changes: func() uint64 { return m.orch.Changes() },
		Report:  func(r monitor.Result) { m.orch.Report(ctx, r) },
		Looked:  func(at time.Time) { m.orch.Looked(at) },
	})
	m.probe = m.newProber()
	m.orch, err = orchestrator.New(orchestrator.Options{
		Servers: cfg.Servers, Digest: config.Digest, Times: config.Timetable, Records: loaded.Records, Clean: loaded.Clean, Boot: m.host.Boot(),
		Trades: orchestrator.Trades{
			Host: orchestrator.OnHost(m.host), Ports: m.host, State: m.store, Bus: m.bus, Logs: m.logs, Checker: checker{m.watch, m.probe}, Secrets: m.secrets, Usage: m.recent.Newest, Log: m.log,
		},
	})
	if err != nil {
		return nil, err
	}
	m.recipes = newRecipes(cfg.Data, func() []services.Server { servers, _ := m.orch.Configured(); return servers }, m.log)
	m.hub = hub.New(m.log)
	m.metrics = metrics.New(metrics.Options{Control: m.orch, Version: version(), Log: m.log})
	m.push = handlers.NewPusher(m.orch, m.hub, m.url(), m.recent, m.log)
	m.sampler = m.newSampler()
	m.alerts = m.newAlerts()
	m.web = &http.Server{
		TLSConfig: m.tlsConfig(),
		Handler: handlers.New(handlers.Deps{
			Control: m.orch, Logs: m.logs, History: m.past, Recent: m.recent, Alerts: m.alerts, Tree: m.host.List, Signal: m.signal, Hub: m.hub, Shutdown: m.askedToEnd, Upgrade: m.upgrade, Reload: m.reload, Settings: m.settings, Metrics: m.metrics,
			Access: m.access, LocalOperator: cfg.Auth.Local == config.LocalOperator, Hosts: cfg.Hosts, Report: m.bus.Publish,
			Position: m.bus.Last, Ending: m.ending, Log: m.log,
			Info: handlers.Info{Version: version(), PID: os.Getpid(), StartedAt: services.Time{Time: time.Now()}, Config: cfg.Path, URL: m.url(), Certificate: m.fingerprint(), Demo: o.demo},
		}),
		ConnContext:       handlers.ConnContext(process.SocketOwner),
		ConnState:         m.noteState,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100},
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(m.log.Handler(), slog.LevelDebug),
	}
	return m, nil
}

func (m *manager) close() {
	for _, door := range m.doors {
		door.Close()
	}
	m.lock.Release()
}

func (m *manager) askedToEnd(_ context.Context, keep bool) error {
	m.ask(wish{keep: keep})
	return nil
}

func (m *manager) ask(w wish) {
	select {
	case m.asked <- w:
	default: // it is ending already
	}
}

// run is the life of the manager. It ends by one ordered list: the servers
// first, while everything still looks after them and the dashboard shows it;
// then whoever wrote about them; the state last.
func (m *manager) run(ctx context.Context, signals <-chan os.Signal, notify string) (kept bool, err error) {
	writer, hands, mind, front := team{log: m.log}, team{log: m.log}, team{log: m.log}, team{log: m.log}
	writer.start("state", m.store.Run)
	writer.start("access", m.access.Run)
	writer.start("history", m.past.Run)
	writer.start("alerts", m.alerts.Run)
	writer.start("recipes", m.recipes.Run)
	writer.start("remember", func(ctx context.Context) error { return m.remember(ctx, m.born) })
	hands.start("process", m.host.Run)
	hands.start("logs", m.logs.Run)
	if from := m.bus.Last(); m.cfg.ExitOn != "" {
		mind.start("exit_on", func(ctx context.Context) error { return m.watchEssential(ctx, from) })
	}
	listening := make(chan struct{})
	mind.start("notices", func(ctx context.Context) error {
		return m.host.Notices(ctx, func() { close(listening) }, m.heard)
	})
	<-listening
	mind.start("orchestrator", m.orch.Run)
	mind.start("monitor", m.watch.Run)
	mind.start("prober", m.probe.Run)
	mind.start("sampler", m.sampler.Run)
	front.start("hub", m.hub.Run)
	front.start("metrics", m.metrics.Run)
	front.start("pusher", m.push.Run)
	for _, door := range m.doors {
		front.start("http", func(context.Context) error { return m.serveDoor(door) })
	}
	m.store.SetClean(false)
	m.log.Info("tend is running", "dashboard", m.url(), "servers", len(m.cfg.Servers), "pid", os.Getpid())
	m.tellFingerprint()
	if m.given.ready != nil {
		m.given.ready(m.address())
	}
	m.bus.Publish(services.Event{Kind: services.EventManager, Message: fmt.Sprintf("tend %s manages %d servers (pid %d)", version(), len(m.cfg.Servers), os.Getpid())})
	tellSystemd(m.log, notify, "READY=1\nSTATUS=dashboard on "+m.url())

	end := m.waitForEnd(ctx, signals)
	keep := end.keep
	tellSystemd(m.log, notify, end.state())
	m.bus.Publish(services.Event{Kind: services.EventManager, Message: end.farewell()})
	failpoint.At("end-begun")
	if !keep {
		err = m.stopServers(ctx, signals, end.signalled)
	}
	failpoint.At("end-stopped")
	var left *estate
	if end.program != "" {
		if left, err = newEstate(m.cfg.Listen, m.lock, m.tcp, m.socket); err != nil {
			m.log.Error("nothing can be handed over: the servers run on, start the manager again", "err", err)
		}
	}
	close(m.ending)
	m.closeWeb(end.patience())
	front.end()
	mind.end() // before its hands: what it starts last is looked after, too
	hands.end()
	m.logs.Close()
	m.store.SetClean(!keep && err == nil)
	failpoint.At("end-noted")
	m.flush()
	failpoint.At("end-flushed")
	writer.end()
	m.log.Info("tend has ended", "servers kept", keep)
	if left != nil {
		err = m.takePlace(end.program, left)
	}
	if err == nil && end.ended != nil {
		return false, end.ended
	}
	return keep || err != nil, err
}

// flush writes the last state.
func (m *manager) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := m.store.Flush(ctx); err != nil {
		m.log.Error("the last state is not written", "err", err)
	}
}

// serveDoor serves until the server is shut down. TLS is for the network alone:
// the socket is a file of this user's.
func (m *manager) serveDoor(door net.Listener) error {
	serve := m.web.Serve
	if m.certs != nil && door.Addr().Network() == "tcp" {
		serve = func(door net.Listener) error { return m.web.ServeTLS(httpsDoor{door, m.url()}, "", "") }
	}
	if err := serve(door); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// parseWithout reads the list of mechanisms that are not to be used.
func parseWithout(list string) (w process.Without, err error) {
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		switch name {
		case "cgroup":
			w.Cgroup = true
		case "exit-info":
			w.ExitInfo = true
		case "connector":
			w.Connector = true
		default:
			return w, usageError("--without %s: it takes cgroup, exit-info and connector", name)
		}
	}
	return w, nil
}
