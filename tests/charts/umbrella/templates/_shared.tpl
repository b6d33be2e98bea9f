{{ define "shared" }}of {{ .Chart.Name }} by the umbrella{{ end }}
