// The names the configuration is checked against: what this program can collect and the labels its
// metrics use. Pure; any thread.
#pragma once

#include "config/loader.h"

namespace pgconn::exporter {

config::Vocabulary vocabulary();

}  // namespace pgconn::exporter
