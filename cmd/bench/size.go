//go:build linux

package main

import "time"

// size is how much is measured, and how often.
type size struct {
	name    string
	servers int           // managed at once
	kills   int           // of each kind, to see how fast a server is back
	holders int           // kills of servers that leave a child on the port
	rounds  int           // of starting all, of stopping
	stopped int           // servers that are stopped at once
	windows int           // in which processor time is read
	idle    int           // while nothing happens: what is done once a minute has to be in them twice
	window  time.Duration // one interval of the monitor
	looks   int           // at the memory
	writes  int           // of a log as fast as it goes
	floods  int           // of one for longer
	log     int64         // bytes of a log
	keep    int64         // bytes of it that are kept
	gets    int           // of the list, of a page
	passes  int           // over the resources of all servers
	storm   int           // events a second
	stormy  time.Duration // how long they come
	pages   int           // open at the same time
	changes int           // of states a second while they are
	visits  int           // of a page in a browser
	crashes int           // of which a page tells
	bigLog  int64         // bytes of a log that is read in a browser
	scrolls int           // windows of it
	aged    time.Duration // how old a manager is whose memory is read once more
}

var full = size{
	name: "full", servers: 1000, kills: 300, holders: 10, rounds: 6, stopped: 100,
	windows: 10, idle: 40, window: 3 * time.Second, looks: 40, writes: 16, floods: 4, log: 512e6, keep: 64e6, gets: 300,
	passes: 6, storm: 10_000, stormy: 10 * time.Second, pages: 200, changes: 100, aged: 10 * time.Minute,
	visits: 15, crashes: 60, bigLog: 1e9, scrolls: 100,
}

var small = size{
	name: "quick", servers: 100, kills: 30, holders: 3, rounds: 2, stopped: 20,
	windows: 2, idle: 2, window: 3 * time.Second, looks: 8, writes: 1, floods: 1, log: 48e6, keep: 4e6, gets: 50,
	passes: 1, storm: 1000, stormy: 2 * time.Second, pages: 20, changes: 100, aged: 20 * time.Second,
	visits: 3, crashes: 10, bigLog: 50e6, scrolls: 20,
}
