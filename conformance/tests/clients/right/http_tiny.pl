# Run a command in a VPS with Perl's HTTP::Tiny.
use strict;
use warnings;
use HTTP::Tiny;
use JSON::XS;
use Time::HiRes qw(sleep time);

my $deadline = time + ($ENV{HOSTUP_TIMEOUT} // 300);
# The timeout of HTTP::Tiny is for each read; this one is for all.
$SIG{ALRM} = sub { die "timed out; the command may still be running\n" };
alarm($ENV{HOSTUP_TIMEOUT} // 300);
my $id = $ENV{HOSTUP_VPS_ID} =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger;
my $url = ($ENV{HOSTUP_BASE_URL} =~ s{/$}{}r) . "/api/v2/vps/$id/agent/exec";

sub call {
    my ($method, $url, $content) = @_;
    my $left = $deadline - time;
    die "timed out; the command may still be running\n" if $left <= 0;
    my $http = HTTP::Tiny->new(agent => 'perl-client/1.0', keep_alive => 0, max_redirect => 0, timeout => $left);
    my %headers = (Authorization => "Bearer $ENV{HOSTUP_API_KEY}", Accept => 'application/json');
    $headers{'Content-Type'} = 'application/json' if defined $content;
    my %options = (headers => \%headers);
    $options{content} = $content if defined $content;
    my $response = $http->request($method, $url, \%options);
    die "status $response->{status} $response->{reason}\n" unless $response->{status} == 200;
    my $value = decode_json($response->{content});
    die "no JSON object\n" unless ref $value eq 'HASH';
    return $value;
}

my $availability = call('GET', $url);
my $available = $availability->{available};
die "commands cannot be run\n" unless JSON::XS::is_bool($available) && $available;
my $command = $ENV{HOSTUP_COMMAND};
utf8::decode($command);
my $pid = call('POST', $url, encode_json({ command => $command }))->{pid};
die "the start named no pid\n" unless defined $pid && $pid =~ /^[0-9]+$/;
my $output;
until ($output = call('GET', "$url?pid=$pid") and JSON::XS::is_bool($output->{exited}) && $output->{exited}) {
    sleep 0.5;
}
alarm 0;
for ([\*STDOUT, 'stdout'], [\*STDERR, 'stderr']) {
    my ($stream, $name) = @$_;
    binmode $stream, ':encoding(UTF-8)';
    print $stream $output->{$name} // '';
}
my $code = $output->{exitCode};
exit(defined $code && $code >= 0 && $code < 256 ? $code : 255);
