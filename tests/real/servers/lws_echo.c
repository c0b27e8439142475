/* Echo server on libwebsockets with permessage-deflate. Compiled by the tests where its headers are. */

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct message {
    struct message *next;
    enum lws_write_protocol kind;
    size_t length;
    unsigned char bytes[]; /* LWS_PRE bytes of room, then the payload */
};

struct session {
    struct message *gathered; /* what has come of the current message */
    struct message *first;    /* whole messages that wait to be written */
};

static int gather(struct lws *wsi, struct session *session, const void *data, size_t length)
{
    struct message *message = session->gathered;
    size_t before = message ? message->length : 0;
    struct message **end = &session->first;

    message = realloc(message, sizeof *message + LWS_PRE + before + length + 1);
    if (!message)
        return -1;
    if (!before)
        message->kind = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    message->next = NULL;
    message->length = before + length;
    if (length)
        memcpy(message->bytes + LWS_PRE + before, data, length);
    session->gathered = message;
    if (lws_remaining_packet_payload(wsi) || !lws_is_final_fragment(wsi))
        return 0;
    session->gathered = NULL;
    while (*end)
        end = &(*end)->next;
    *end = message;
    lws_callback_on_writable(wsi);
    return 0;
}

static int echo(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data,
                size_t length)
{
    struct session *session = user;
    struct message *message;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        memset(session, 0, sizeof *session);
        break;
    case LWS_CALLBACK_RECEIVE:
        return gather(wsi, session, data, length);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        message = session->first;
        if (!message)
            break;
        session->first = message->next;
        if (lws_write(wsi, message->bytes + LWS_PRE, message->length, message->kind) < 0)
            return -1;
        free(message);
        if (session->first)
            lws_callback_on_writable(wsi);
        break;
    case LWS_CALLBACK_CLOSED:
        free(session->gathered);
        while ((message = session->first)) {
            session->first = message->next;
            free(message);
        }
        break;
    default:
        break;
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    { "echo", echo, sizeof(struct session), 65536, 0, NULL, 0 },
    { NULL, NULL, 0, 0, 0, NULL, 0 },
};

static const struct lws_extension extensions[] = {
    { "permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate" },
    { NULL, NULL, NULL },
};

int main(int count, char **arguments)
{
    struct lws_context_creation_info info;
    struct lws_context *context;
    struct lws_vhost *vhost;

    memset(&info, 0, sizeof info);
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    if (count > 2) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = arguments[1];
        info.ssl_private_key_filepath = arguments[2];
    }
    info.iface = "lo";
    info.protocols = protocols;
    info.extensions = extensions;
    lws_set_log_level(LLL_ERR, NULL);
    context = lws_create_context(&info);
    vhost = context ? lws_create_vhost(context, &info) : NULL;
    if (!vhost)
        return 1;
    printf("listening on 127.0.0.1:%d\n", lws_get_vhost_listen_port(vhost));
    fflush(stdout);
    while (lws_service(context, 0) >= 0)
        ;
    return 0;
}
