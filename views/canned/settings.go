package canned

import "tend/services"

// Settings returns what a server may be configured to do, with a drift.
func Settings() services.Settings {
	one := func(key, value string, kind services.OriginKind, line int) services.Setting {
		return services.Setting{Key: key, Value: value, From: services.Origin{Kind: kind, Line: line}}
	}
	held := one("env.API_TOKEN", "", services.FromServer, 24)
	held.Held = true
	return services.Settings{
		File: "/etc/tend/tend.yaml",
		List: []services.Setting{
			one("command", "./api --port 8080 --config /etc/api/production.toml --trust-proxy 10.0.0.0/8", services.FromServer, 20),
			one("dir", "/srv/api", services.FromServer, 21), held,
			one("env.DATABASE", "${DATABASE}", services.FromServer, 23), one("env.LOG_LEVEL", "debug", services.FromServer, 25), one("env.TZ", "UTC", services.FromDefaults, 7),
			one("user", "www-data", services.FromDefaults, 5), one("limits.memory", "512MB", services.FromServer, 27),
			one("description", "public API", services.FromServer, 18), one("group", "backend", services.FromServer, 19), one("type", "server", services.FromNowhere, 0),
			one("port", "8080", services.FromBefore, 0), one("depends_on", "postgres until ready, when lost nothing; redis until ready, when lost restart", services.FromServer, 22), one("autostart", "true", services.FromNowhere, 0),
			one("ready.http", "http://127.0.0.1:8080/healthz", services.FromServer, 26), one("ready.interval", "1s", services.FromNowhere, 0), one("ready.timeout", "1s", services.FromNowhere, 0),
			one("restart", "always", services.FromDefaults, 6), one("success", "0", services.FromNowhere, 0), one("backoff.min", "100ms", services.FromNowhere, 0), one("backoff.give_up", "never", services.FromNowhere, 0),
			one("stop.signal", "SIGTERM", services.FromNowhere, 0), one("stop.timeout", "20s", services.FromServer, 28), one("stop.to", "group", services.FromNowhere, 0),
			one("logs.max_size", "64MB", services.FromNowhere, 0),
		},
		Drift: []services.Difference{
			{Key: "command", Was: "./api --port 8080", Is: "./api --port 8080 --config /etc/api/production.toml --trust-proxy 10.0.0.0/8"},
			{Key: "env.API_TOKEN", Was: "one value", Is: "another"}, {Key: "env.TZ", Is: "set"}, {Key: "limits.memory", Was: "256MB"},
		},
	}
}
