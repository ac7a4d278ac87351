package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the documents that come from the table of options")

// The manual page and the README's table say what the table of options says. make docs writes them.
func TestDocuments(t *testing.T) {
	root := filepath.Join("..", "..")
	tmpl, err := os.ReadFile("testdata/smbfs.8.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	checkDocument(t, filepath.Join(root, "docs", "smbfs.8"), strings.Replace(string(tmpl), "{{OPTIONS}}\n", manOptions(), 1))

	readme := filepath.Join(root, "README.md")
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- options: made by make docs -->\n", "<!-- end of options -->\n"
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("README.md has no place for the options, between %q and %q", begin, end)
	}
	checkDocument(t, readme, before+begin+readmeOptions()+end+after)
}

func checkDocument(t *testing.T, name, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s is out of date (%v); make docs writes it anew", name, err)
	}
}

// manOptions is the table in roff.
func manOptions() string {
	quote := strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace
	var b strings.Builder
	for _, group := range optionGroups {
		fmt.Fprintf(&b, ".SS %s\n", group)
		for i := range optionTable {
			if o := &optionTable[i]; o.group == group {
				fmt.Fprintf(&b, ".TP\n.B %s\n%s.\n", quote(o.label()), quote(o.help))
			}
		}
	}
	return b.String()
}

// readmeOptions is the table in Markdown.
func readmeOptions() string {
	var b strings.Builder
	for _, group := range optionGroups {
		fmt.Fprintf(&b, "\n| %s | |\n|---|---|\n", group)
		for i := range optionTable {
			o := &optionTable[i]
			if o.group != group {
				continue
			}
			label := "`" + strings.ReplaceAll(o.label(), ", ", "`, `") + "`"
			fmt.Fprintf(&b, "| %s | %s |\n", strings.ReplaceAll(label, "|", `\|`), strings.ReplaceAll(o.help, "|", `\|`))
		}
	}
	b.WriteString("\n")
	return b.String()
}
