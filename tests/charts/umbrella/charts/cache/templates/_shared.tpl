{{ define "shared" }}of {{ .Chart.Name }} by the cache{{ end }}
