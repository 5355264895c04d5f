#!/usr/bin/env perl
# Mojolicious::Lite in production mode: problems by a helper, Mojolicious' own pages for the rest.
use Mojolicious::Lite -signatures;
use Mojo::Util qw(sha1_sum);
use POSIX qw(strftime);

my %scopes = ($ENV{HOSTUP_API_KEY} => 'read:vm write:vm', $ENV{HOSTUP_READ_API_KEY} => 'read:vm');
my %agents = (
  $ENV{HOSTUP_VPS_ID}             => {available => \1, reason => undef, vmRunning => \1},
  $ENV{HOSTUP_UNAVAILABLE_VPS_ID} => {available => \0, reason => 'No guest agent', vmRunning => \1},
);
my %commands = (
  $ENV{HOSTUP_RUNNING_PID}  => {exited => \0},
  $ENV{HOSTUP_FINISHED_PID} => {exited => \1, exitCode => 0, stdout => "perl\n", stderr => ''},
);

helper problem => sub ($c, $status, $code, $title, $detail, %more) {
  $c->res->headers->www_authenticate('Bearer') if $status == 401;
  $c->render(
    status => $status,
    json   => {
      type      => "https://developer.hostup.se/errors/$code",
      title     => $title,
      status    => $status,
      detail    => $detail,
      code      => $code,
      instance  => $c->req->url->path->to_string,
      requestId => 'req_' . substr(sha1_sum($c->req->request_id . rand), 0, 26),
      timestamp => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime),
      %more,
    },
  );
};

get '/api/v2/vps/:id/agent/exec' => sub ($c) {
  my ($key) = ($c->req->headers->authorization // '') =~ /^Bearer +(\S+)$/i;
  my $granted = defined $key ? $scopes{$key} : undef;
  return $c->problem(401, 'unauthorized', 'Unauthorized', 'Authentication is required.') unless $granted;
  my $pid   = $c->req->query_params->param('pid');
  my $scope = defined $pid ? 'write:vm' : 'read:vm';
  return $c->problem(403, 'forbidden', 'Forbidden', 'A scope is missing.') unless $granted =~ /$scope/;
  my $agent = $agents{$c->param('id')};
  return $c->problem(404, 'not_found', 'Not found', 'There is no such VPS.') unless $agent;
  return $c->render(json => $agent) unless defined $pid;
  my $item = {pointer => '/pid', detail => 'An integer is needed.', code => 'invalid_request'};
  return $c->problem(400, 'invalid_request', 'Invalid request', 'Validation failed.', errors => [$item])
    unless $pid =~ /\A[0-9]+\z/;
  my $output = ${$agent->{available}} ? $commands{$pid} : undef;
  return $c->problem(404, 'not_found', 'Not found', 'There is no such command.') unless $output;
  delete $commands{$pid} if ${$output->{exited}} && $c->req->method eq 'GET';
  $c->render(json => $output);
};

app->start;
