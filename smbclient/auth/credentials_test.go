package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestNothingShowsThePassword prints credentials, and an exchange in the middle
// and at its end, in every way a log might.
func TestNothingShowsThePassword(t *testing.T) {
	const password = "hunter2hunter2"
	c := Credentials{User: "user", Domain: "DOM", Password: NewSecret(password)}
	m, a := newNTLM(t, c), newAcceptor("user", "DOM", password)
	tr, err := talk(t, m, a)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	show(t, &out, c)
	show(t, &out, &c)
	show(t, &out, c.Password)
	show(t, &out, struct{ C Credentials }{c})
	show(t, &out, &struct{ c Credentials }{c}) // fmt calls no methods here
	show(t, &out, struct{ m Mechanism }{m})
	show(t, &out, map[string]any{"c": c, "p": &c})
	show(t, &out, m)
	show(t, &out, newNTLMCredential(c))
	if _, err := m.Init(context.Background(), tr.final); err != nil {
		t.Fatal(err)
	}
	show(t, &out, m)
	_, err = m.Init(context.Background(), tr.final)
	show(t, &out, fmt.Errorf("log on as %v: %w", c, errors.Join(err, fmt.Errorf("with %+v", m))))

	secrets := map[string][]byte{"password": []byte(password), "key": m.SessionKey()}
	for what, s := range secrets {
		for _, form := range []string{
			string(s), fmt.Sprintf("%x", s), fmt.Sprintf("%X", s), fmt.Sprintf("% x", s), fmt.Sprintf("%q", s),
			strings.Trim(fmt.Sprint(s), "[]"), strings.Trim(fmt.Sprintf("%#v", s), "[]byte{}"),
		} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%s shown as %q", what, form)
			}
		}
	}
	if !strings.Contains(out.String(), `DOM\user`) {
		t.Error("nothing was printed")
	}
}

// show prints v with every verb, as JSON and XML text, and through log/slog.
func show(t *testing.T, out *bytes.Buffer, v any) {
	t.Helper()
	for _, verb := range "vTtbcdoOqxXUeEfFgGsp" {
		for _, flag := range []string{"", "+", "#", "-", " ", "0", "10.3"} {
			fmt.Fprintf(out, "%"+flag+string(verb)+"\n", v)
		}
	}
	fmt.Fprintln(out, v)
	if js, err := json.Marshal(v); err == nil {
		out.Write(js)
	}
	if x, err := xml.Marshal(v); err == nil {
		out.Write(x)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(out, nil), slog.NewJSONHandler(out, nil)} {
		slog.New(h).Info("logging on", "v", v, slog.Group("g", "v", v))
	}
}

func TestAccount(t *testing.T) {
	for _, tt := range []struct {
		c                  Credentials
		user, domain, name string
	}{
		{Credentials{User: "u"}, "u", "", "u"},
		{Credentials{User: "u", Domain: "D"}, "u", "D", `D\u`},
		{Credentials{User: `D\u`}, "u", "D", `D\u`},
		{Credentials{User: `X\u`, Domain: "D"}, `X\u`, "D", `D\X\u`},
		{Credentials{User: "u@d.example"}, "u@d.example", "", "u@d.example"},
		{Credentials{User: "u", Guest: true}, "u", "", "anonymous"},
		{Credentials{User: "u", Guest: true, Password: NewSecret("p")}, "u", "", "u"},
		{Credentials{User: "u", Password: NewSecret("p"), Anonymous: true}, "u", "", "anonymous"},
	} {
		user, domain := tt.c.account()
		if user != tt.user || domain != tt.domain || tt.c.String() != tt.name || tt.c.IsAnonymous() != (tt.name == "anonymous") {
			t.Errorf("%#v: %q in %q, named %q", tt.c, user, domain, tt.c.String())
		}
	}
}
