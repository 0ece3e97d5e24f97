package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of what is read. They are far above any real file; below them the
// YAML parser, which is quadratic in places, answers within a second or two.
const (
	maxBytes   = 2 << 20
	maxTokens  = 400_000
	maxEntries = 20_000 // of one map or list
	maxDepth   = 64
	maxMerged  = 200_000 // entries copied by merge keys, all together
)

type place struct{ line, column int }

type kind int

const (
	null kind = iota
	boolean
	integer
	float
	text
	list
	object
)

// node is a YAML value without the library: aliases are followed (aliased
// nodes are shared, not copied) and merge keys are merged.
type node struct {
	at      place
	kind    kind
	text    string  // of a scalar, as it was written, without quotes
	items   []*node // of a list
	entries []entry // of an object; keys are unique
}

type entry struct {
	at    place // of the key
	key   string
	value *node
}

// parse reads the one document of a file. It returns nil where the file holds
// nothing, and after a syntax error, which is reported.
func parse(data string, r *report) *node {
	tokens := lexer.Tokenize(data)
	if !withinLimits(tokens, r) {
		return nil
	}
	file, err := parseTokens(tokens)
	if err != nil {
		reportSyntax(err, data, r)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			r.add(placeOf(doc.Body), "", "a second document begins here: one file holds one configuration, so remove the --- above and what follows it")
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		return nil
	}
	b := builder{report: r, anchors: map[string]*node{}}
	return b.node(body, place{1, 1})
}

// parseTokens shields us from panics of the library: a file must never be
// able to stop the manager.
func parseTokens(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the YAML parser gave up on it (%v)", p)
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// withinLimits bounds length, width and depth before the parser, which is
// recursive, sees the tokens.
func withinLimits(tokens token.Tokens, r *report) bool {
	if len(tokens) > maxTokens {
		r.add(place{}, "", "is too large: more than %d words and signs; split it into several configurations", maxTokens)
		return false
	}
	type level struct{ column, entries int }
	var block []level
	flow, run := 0, 0
	for i, tk := range tokens {
		column := tk.Position.Column
		run++
		switch tk.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
			run = 0
		case token.MappingEndType, token.SequenceEndType:
			flow = max(flow-1, 0)
			run = 0
		case token.MappingValueType, token.SequenceEntryType, token.MappingKeyType:
			run = 0
			if tk.Type == token.MappingValueType && i > 0 {
				column = tokens[i-1].Position.Column
			}
			if flow == 0 {
				for len(block) > 0 && block[len(block)-1].column > column {
					block = block[:len(block)-1]
				}
				if len(block) == 0 || block[len(block)-1].column < column {
					block = append(block, level{column: column})
				}
				block[len(block)-1].entries++
			}
		case token.AnchorType, token.TagType:
		default:
			run = 0
		}
		at := place{tk.Position.Line, column}
		switch {
		case len(block)+flow+run > maxDepth:
			r.add(at, "", "is nested more than %d levels deep: a configuration needs no more than six", maxDepth)
			return false
		case len(block) > 0 && block[len(block)-1].entries > maxEntries:
			r.add(at, "", "is entry %d of one list or map: split the file into several configurations", maxEntries+1)
			return false
		}
	}
	return true
}

func reportSyntax(err error, data string, r *report) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) || syntax.Token == nil {
		r.add(place{}, "", "is not valid YAML: %v", err)
		return
	}
	at := place{syntax.Token.Position.Line, syntax.Token.Position.Column}
	var line string
	if lines := strings.Split(data, "\n"); at.line >= 1 && at.line <= len(lines) {
		line = lines[at.line-1]
	}
	hint := ""
	switch {
	case strings.Contains(syntax.Message, `'\t'`), strings.HasPrefix(strings.TrimLeft(line, " "), "\t"):
		hint = ": indent with spaces, YAML does not allow tabs"
	case strings.ContainsAny(line, "{[") && strings.Contains(line, "${"):
		hint = `: inside { } and [ ] a value with ${...} wants quotes, as in {PORT: "${PORT}"}`
	}
	r.add(at, "", "this is not valid YAML: %s%s", syntax.Message, hint)
}

// builder turns the library's tree into ours.
type builder struct {
	*report
	anchors map[string]*node // complete ones only, so that no alias can contain itself
	merged  int
}

func placeOf(n ast.Node) place {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return placeOf(n.Values[0])
		}
	case *ast.MappingValueNode:
		return placeOf(n.Key)
	case *ast.SequenceNode:
	case *ast.LiteralNode:
		return tokenPlace(n.Start)
	}
	return tokenPlace(n.GetToken())
}

func tokenPlace(tk *token.Token) place {
	if tk == nil || tk.Position == nil {
		return place{}
	}
	return place{tk.Position.Line, tk.Position.Column}
}

// node converts one value. The fallback is the place of its key, for values
// whose own place the library does not know: what spreads over several lines.
func (b *builder) node(n ast.Node, fallback place) *node {
	out := &node{at: placeOf(n)}
	tk := n.GetToken()
	if out.at.line == 0 || (n.Type() == ast.StringType && strings.Contains(strings.TrimSpace(tk.Origin), "\n")) {
		out.at = fallback
	}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		out.kind, out.text = boolean, tk.Value
	case *ast.IntegerNode:
		out.kind, out.text = integer, tk.Value
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = float, tk.Value
	case *ast.StringNode:
		out.kind, out.text = text, n.Value
	case *ast.LiteralNode:
		out.kind, out.text = text, n.Value.Value
	case *ast.TagNode:
		return b.tag(n, fallback)
	case *ast.AnchorNode:
		value := b.node(n.Value, fallback)
		b.anchors[n.Name.GetToken().Value] = value
		return value
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		value, ok := b.anchors[name]
		if !ok {
			b.add(out.at, "", "*%s refers to an anchor that is not defined before it: write &%s where the value is", quoteCut(name, ""), quoteCut(name, ""))
			return out
		}
		return value
	case *ast.SequenceNode:
		out.kind = list
		for _, item := range n.Values {
			out.items = append(out.items, b.node(item, out.at))
		}
	case *ast.MappingNode:
		out.kind, out.entries = object, b.entries(n.Values)
	case *ast.MappingValueNode:
		out.kind, out.entries = object, b.entries([]*ast.MappingValueNode{n})
	default:
		b.add(out.at, "", "YAML of the sort %q does not belong into a configuration: remove it", n.Type().YAMLName())
	}
	return out
}

// tag accepts the core tag that turns a scalar into text, and no other.
func (b *builder) tag(n *ast.TagNode, fallback place) *node {
	tag := n.GetToken().Value
	if n.Value == nil {
		b.add(placeOf(n), "", "the tag %s has no value: remove it", quoteCut(tag, ""))
		return &node{at: placeOf(n)}
	}
	value := b.node(n.Value, fallback)
	if tag == "!!str" && value.kind < list {
		return &node{at: value.at, kind: text, text: value.text}
	}
	b.add(placeOf(n), "", "the tag %s is not understood: remove it (quotes turn a value into text)", quoteCut(tag, ""))
	return value
}

func (b *builder) entries(values []*ast.MappingValueNode) []entry {
	var out, merged []entry
	first := make(map[string]place, len(values))
	for _, v := range values {
		at := placeOf(v.Key)
		value := b.node(v.Value, at)
		if v.Key.IsMergeKey() {
			merged = append(merged, b.merge(value)...)
			continue
		}
		key, ok := b.key(v.Key)
		if !ok {
			continue
		}
		if prior, ok := first[key]; ok {
			b.add(at, "", "%s stands here for the second time, first in line %d: remove one of the two", quoteCut(key, `"`), prior.line)
			continue
		}
		first[key] = at
		out = append(out, entry{at: at, key: key, value: value})
	}
	for _, e := range merged {
		if _, ok := first[e.key]; !ok {
			first[e.key] = e.at
			out = append(out, e)
		}
	}
	return out
}

func (b *builder) key(k ast.MapKeyNode) (string, bool) {
	var n ast.Node = k
	if explicit, ok := n.(*ast.MappingKeyNode); ok {
		n = explicit.Value
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return n.GetToken().Value, true
	}
	b.add(placeOf(n), "", "this cannot be a key: write a plain name")
	return "", false
}

// merge returns what a merge key brings in: one map, or a list of maps in
// which the earlier one wins.
func (b *builder) merge(n *node) []entry {
	maps := []*node{n}
	if n.kind == list {
		maps = n.items
	}
	var out []entry
	for _, m := range maps {
		if m.kind != object {
			b.add(m.at, "", "<< merges a map or a list of maps, such as <<: *name")
			continue
		}
		if b.merged += len(m.entries); b.merged > maxMerged {
			b.add(m.at, "", "the merge keys of this file bring in more than %d entries: write less of it with <<", maxMerged)
			return out
		}
		out = append(out, m.entries...)
	}
	return out
}

// quoteCut bounds what we repeat of a hostile file.
func quoteCut(s, quote string) string {
	const limit = 60
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "…"
	}
	return quote + s + quote
}
