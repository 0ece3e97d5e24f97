package state

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"tend/services"
)

func TestANewDirectoryGetsAnInstanceAndAFileWithoutComplaint(t *testing.T) {
	dir := t.TempDir()
	h := run(t, dir)
	if h.got.Damage != "" || h.got.Clean || len(h.got.Records) != 0 || !instancePattern.MatchString(h.got.Instance) {
		t.Errorf("loaded %+v", h.got)
	}
	h.flush()
	if doc := file(t, dir); doc.Instance != h.got.Instance || doc.Clean || len(doc.Servers) != 0 {
		t.Errorf("the file holds %+v", doc)
	}
	h.stop()
	again := open(t, dir)
	if again.got.Instance != h.got.Instance || again.got.Damage != "" {
		t.Errorf("the second time: %+v", again.got)
	}
}

func TestFilesOfEveryVersionAreRead(t *testing.T) {
	records := fixture()
	before := slices.Clone(records[:2])
	first := *records[0].Run
	first.Members, first.Cgroup = nil, ""
	before[0].Run = &first
	before[1] = services.Record{Name: "db", Want: services.Down, Phase: services.Stopped, Rev: 3}
	for version, want := range map[int]Loaded{
		0: {Records: before},
		1: {Records: records, Clean: true, Instance: "0123456789abcdef"},
	} {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) {
			dir := t.TempDir()
			data, err := os.ReadFile(fmt.Sprintf("testdata/version-%d.json", version))
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, fileName, string(data))
			instance := want.Instance
			if instance == "" {
				instance = "fedcba9876543210"
			}
			put(t, dir, "instance", instance+"\n")
			h := run(t, dir)
			got := slices.Clone(h.got.Records)
			slices.SortFunc(got, func(a, b services.Record) int { return strings.Compare(a.Name, b.Name) })
			wantRecords(t, got, want.Records)
			if h.got.Clean != want.Clean || h.got.Damage != "" || h.got.Instance != instance {
				t.Errorf("loaded %+v", h.got)
			}
			h.SetClean(!want.Clean)
			h.flush()
			wantRecords(t, file(t, dir).Servers, want.Records) // written by ours, with nothing lost
		})
	}
}

// TestAFileCutOffAnywhereIsSetAsideAndReported is the crash of a machine
// whose file system keeps a name but not all of its content.
func TestAFileCutOffAnywhereIsSetAsideAndReported(t *testing.T) {
	dir := used(t)
	whole, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		put(t, dir, fileName, string(whole[:n]))
		h := open(t, dir)
		if n == len(whole)-1 { // only the last newline is missing
			wantRecords(t, h.got.Records, fixture())
			break
		}
		if h.got.Damage == "" || len(h.got.Records) != 0 || h.got.Clean || h.got.Instance != "0123456789abcdef" {
			t.Fatalf("cut at %d: loaded %+v", n, h.got)
		}
		list := aside(t, dir, fileName)
		last := list[len(list)-1]
		wantSentence(t, h.got.Damage, filepath.Join(dir, fileName), filepath.Base(last), "autostart")
		if kept, err := os.ReadFile(last); err != nil || string(kept) != string(whole[:n]) {
			t.Fatalf("cut at %d: %s holds %q, %v", n, last, kept, err)
		}
		if len(list) > keepAside {
			t.Fatalf("cut at %d: %d files set aside", n, len(list))
		}
		if _, err := os.Lstat(filepath.Join(dir, fileName)); !os.IsNotExist(err) {
			t.Fatalf("cut at %d: the file is still there, %v", n, err)
		}
	}
}

func TestADamagedFileNeverStopsTheManager(t *testing.T) {
	record := func(extra string) string {
		return `{"version":1,"clean":true,"servers":[{"name":"api","want":"up","phase":"running"` + extra + `}]}`
	}
	for name, c := range map[string]struct{ content, says string }{
		"empty":                  {"", "it is empty"},
		"rubbish":                {"\x00\xff rubbish {{{", "invalid character"},
		"null":                   {"null", "no list of servers"},
		"an empty object":        {"{}", "no list of servers"},
		"version 0, no servers":  {`{"clean":true}`, "no list of servers"},
		"version 1, no servers":  {`{"version":1}`, "no list of servers"},
		"a list":                 {"[]", "cannot unmarshal array"},
		"followed by rubbish":    {record("") + "x", "invalid character"},
		"twice in one file":      {record("") + record(""), "invalid character"},
		"a version of words":     {`{"version":"1","servers":[]}`, "cannot unmarshal string"},
		"a negative version":     {`{"version":-3,"servers":[]}`, "version -3 never existed"},
		"a newer version":        {`{"version":7,"servers":{"new":"form"}}`, "version 7, from a newer tend"},
		"servers of version 0":   {`{"version":1,"servers":{"api":{}}}`, "cannot unmarshal object"},
		"old form, wrong type":   {`{"servers":[17]}`, "cannot unmarshal array"},
		"a number as a server":   {`{"version":1,"servers":[17]}`, "cannot unmarshal number"},
		"null as a server":       {`{"version":1,"servers":[null]}`, "it has no name"},
		"a want nobody has":      {`{"version":1,"servers":[{"name":"api","want":"sideways","phase":"running"}]}`, `server "api": want cannot be "sideways"`},
		"a phase that is none":   {`{"version":1,"servers":[{"name":"api","want":"up","phase":"dreaming"}]}`, `phase cannot be "dreaming"`},
		"a server twice":         {`{"version":1,"servers":[{"name":"a","want":"up","phase":"failed"},{"name":"a","want":"down","phase":"failed"}]}`, `server "a" is in it twice`},
		"init as a server":       {record(`,"run":{"leader":{"pid":1}}`), "pid cannot be 1"},
		"everybody as a member":  {record(`,"run":{"leader":{"pid":7},"members":[{"pid":-1}]}`), "pid cannot be -1"},
		"a time that is none":    {record(`,"run":{"startedAt":"yesterday"}`), "yesterday"},
		"a signal that is none":  {record(`,"exit":{"signal":"SIGNONSENSE"}`), "SIGNONSENSE"},
		"a number out of bounds": {record(`,"rev":-1`), "cannot unmarshal number"},
		"brackets without end":   {strings.Repeat("[", 100_000), "exceeded max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := used(t)
			put(t, dir, fileName, c.content)
			h := run(t, dir)
			wantSentence(t, h.got.Damage, fileName, c.says, "set aside")
			if len(h.got.Records) != 0 || h.got.Clean || h.got.Instance != "0123456789abcdef" {
				t.Errorf("loaded %+v", h.got)
			}
			if list := aside(t, dir, fileName); len(list) != 1 {
				t.Errorf("set aside: %v", list)
			}
			h.flush() // a good file stands in its place at once
			if doc := file(t, dir); len(doc.Servers) != 0 || doc.Instance != "0123456789abcdef" {
				t.Errorf("the new file holds %+v", doc)
			}
		})
	}
}

func TestWhatIsNoFileNeverStopsTheManager(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"a directory":        func(path string) error { return os.MkdirAll(filepath.Join(path, "sub"), 0o700) },
		"a FIFO":             func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a loop of symlinks": func(path string) error { return os.Symlink(path, path) },
		"a device":           func(path string) error { return os.Symlink("/dev/null", path) },
		"far too large":      func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		for _, file := range []string{fileName, "instance"} {
			t.Run(file+" is "+name, func(t *testing.T) {
				dir := used(t)
				path := filepath.Join(dir, file)
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				if err := make(path); err != nil {
					t.Fatal(err)
				}
				if name == "far too large" {
					if err := os.Truncate(path, largest+1); err != nil {
						t.Fatal(err)
					}
				}
				if name == "a loop of symlinks" && file == "instance" {
					return // an error of the directory, like any that reading gives
				}
				h := run(t, dir)
				wantSentence(t, h.got.Damage, path, "set aside")
				h.flush()
				if h.got.Instance != "0123456789abcdef" || len(aside(t, dir, file)) != 1 {
					t.Errorf("instance %s, aside %v", h.got.Instance, aside(t, dir, file))
				}
			})
		}
	}
}

func TestAMissingFileIsReportedOnlyInAUsedDirectory(t *testing.T) {
	dir := used(t)
	if err := os.Remove(filepath.Join(dir, fileName)); err != nil {
		t.Fatal(err)
	}
	h := open(t, dir)
	wantSentence(t, h.got.Damage, filepath.Join(dir, fileName), "is missing")
	if h.got.Instance != "0123456789abcdef" || len(aside(t, dir, fileName)) != 0 {
		t.Errorf("loaded %+v, aside %v", h.got, aside(t, dir, fileName))
	}
}

func TestTheInstanceSurvivesTheLossOfEitherFile(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(dir string) error
		says []string
	}{
		"state.json is gone":  {func(dir string) error { return os.Remove(filepath.Join(dir, fileName)) }, []string{"state.json is missing"}},
		"instance is gone":    {func(dir string) error { return os.Remove(filepath.Join(dir, "instance")) }, []string{"instance was missing", "restored"}},
		"instance is empty":   {func(dir string) error { return os.Truncate(filepath.Join(dir, "instance"), 0) }, []string{"set aside as instance.corrupt-", "restored"}},
		"instance is rubbish": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "instance"), []byte("../../x"), 0o600) }, []string{"set aside as instance.corrupt-", "restored"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := used(t)
			if err := c.harm(dir); err != nil {
				t.Fatal(err)
			}
			h := open(t, dir)
			wantSentence(t, h.got.Damage, c.says...)
			if h.got.Instance != "0123456789abcdef" {
				t.Errorf("instance %q", h.got.Instance)
			}
			if again := open(t, dir); again.got.Instance != "0123456789abcdef" {
				t.Errorf("instance %q the second time", again.got.Instance)
			}
		})
	}
}

func TestANewInstanceIsMadeOnlyWhenBothFilesAreLost(t *testing.T) {
	dir := used(t)
	put(t, dir, fileName, "rubbish")
	put(t, dir, "instance", "rubbish")
	h := open(t, dir)
	wantSentence(t, h.got.Damage, "state.json.corrupt-", "instance.corrupt-", "recognised by their cgroup or record only")
	if id := h.got.Instance; id == "0123456789abcdef" || !instancePattern.MatchString(id) {
		t.Errorf("instance %q", id)
	}
	if again := open(t, dir); again.got.Instance != h.got.Instance {
		t.Errorf("instance %q, then %q", h.got.Instance, again.got.Instance)
	}
}

func TestADirectoryThatCannotBeWrittenIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "is not there")
	_, _, err := Open(dir, Options{})
	if services.KindOf(err) != services.Unavailable {
		t.Fatalf("error %v", err)
	}
	wantSentence(t, err.Error(), dir, "cannot be written")
}

// FuzzDecode holds every content to this: it is refused, or it is read such
// that what we write of it reads the same.
func FuzzDecode(f *testing.F) {
	for version := range 2 {
		data, err := os.ReadFile(fmt.Sprintf("testdata/version-%d.json", version))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"version":1,"servers":[{"name":"a","want":"up","phase":"failed","exit":{"code":7,"signal":"signal 40","at":null}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := decode(data)
		if err != nil {
			return
		}
		write := func(doc document) []byte {
			var entries []entry
			for _, rec := range doc.Servers {
				e, err := encode(rec)
				if err != nil {
					t.Skip("a time that JSON cannot hold") // such a record is kept out of the file
				}
				entries = append(entries, e)
			}
			return page("0123456789abcdef", doc.Clean, entries)
		}
		first := write(doc)
		again, err := decode(first)
		if err != nil {
			t.Fatalf("%v in %s", err, first)
		}
		if second := write(again); len(doc.Servers) < 2 && !reflect.DeepEqual(first, second) {
			t.Fatalf("%s\nbecame %s", first, second)
		}
	})
}

func TestAManagerThatWasRefusedBeforeItsFirstWriteIsNoLoss(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Open(dir, Options{Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	_, again, err := Open(dir, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil || again.Damage != "" || len(again.Records) > 0 {
		t.Errorf("%+v, %v", again, err)
	}
	if err := os.Remove(filepath.Join(dir, fileName)); err != nil {
		t.Fatal(err)
	}
	if _, again, err = Open(dir, Options{Log: slog.New(slog.DiscardHandler)}); err != nil || !strings.Contains(again.Damage, "missing") {
		t.Errorf("%+v, %v", again, err)
	}
}
