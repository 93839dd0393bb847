package main

import "context"

func (a *app) startDemo(context.Context) error { return nil }
