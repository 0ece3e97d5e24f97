package handlers

import "net/http"

func (h *handler) showOverview(w http.ResponseWriter, r *http.Request) error { return nil }
func (h *handler) showServer(w http.ResponseWriter, r *http.Request) error   { return nil }
func (h *handler) streamLog(w http.ResponseWriter, r *http.Request) error    { return nil }
func (h *handler) actOnServer(w http.ResponseWriter, r *http.Request) error  { return nil }
